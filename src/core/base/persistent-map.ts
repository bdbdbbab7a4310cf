/**
 * A map that never changes: setting a key gives another map, which shares nearly all of this one. Copying it is free, and
 * a change costs the same however many keys there are.
 *
 * Keys are small whole numbers. Each takes five bits of itself a level down:
 *
 * ```text
 *   key 70 = 2 · 32 + 6       root ─► [ , , ● ]  slot 2
 *                                        └──► [ , , , , , , value ]  slot 6
 * ```
 *
 * @module
 */

const BITS = 5;
const MASK = 31;

type Node = readonly unknown[];

export class PersistentMap<V extends object> {
  static readonly #empty: PersistentMap<never> = new PersistentMap([], 0, 0);
  readonly #root: Node;
  /** The bits of a key below those that the root looks at. */
  readonly #shift: number;
  readonly size: number;

  private constructor(root: Node, shift: number, size: number) {
    this.#root = root;
    this.#shift = shift;
    this.size = size;
  }

  static empty<V extends object>(): PersistentMap<V> {
    return PersistentMap.#empty;
  }

  get(key: number): V | undefined {
    if (key >> this.#shift > MASK) return undefined;
    let node: Node | undefined = this.#root;
    for (let shift = this.#shift; shift > 0 && node !== undefined; shift -= BITS) {
      node = node[(key >> shift) & MASK] as Node | undefined;
    }
    return node?.[key & MASK] as V | undefined;
  }

  /** This map with `value` at `key`; without the key for `undefined`. */
  with(key: number, value: V | undefined): PersistentMap<V> {
    const before = this.get(key);
    if (before === value) return this;
    let root = this.#root;
    let shift = this.#shift;
    for (; key >> shift > MASK; shift += BITS) root = [root];
    const size = this.size + (value === undefined ? -1 : before === undefined ? 1 : 0);
    return size === 0 ? PersistentMap.empty() : new PersistentMap(replaced(root, shift, key, value), shift, size);
  }

  /** The values, by their keys. */
  *[Symbol.iterator](): Generator<V, void, undefined> {
    yield* valuesOf(this.#root, this.#shift) as Generator<V, void, undefined>;
  }
}

function replaced(node: Node, shift: number, key: number, value: unknown): Node {
  const slot = (key >> shift) & MASK;
  const copy = node.slice();
  while (copy.length <= slot) copy.push(undefined);
  copy[slot] = shift === 0 ? value : replaced((node[slot] as Node | undefined) ?? [], shift - BITS, key, value);
  return copy;
}

function* valuesOf(node: Node, shift: number): Generator<unknown, void, undefined> {
  for (const item of node) {
    if (item === undefined) continue;
    if (shift === 0) yield item;
    else yield* valuesOf(item as Node, shift - BITS);
  }
}
