/** ByteBuffer and indexOf: against their naive twins, with random programs. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteBuffer, indexOf } from "../../../../src/core/network/streams/byte-buffer.ts";
import "asyncio-ts";

type Step =
  | { readonly kind: "add"; readonly chunk: Uint8Array }
  | { readonly kind: "take" | "drop"; readonly count: number }
  | { readonly kind: "clear" };

/** Bytes of their own, a view into something larger, or a Node.js buffer out of the pool. */
const chunk = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 300 }),
    place: fc.constantFrom("alone", "in a large one", "of the pool"),
  })
  .map(({ bytes, place }) => {
    if (place === "alone") return bytes;
    if (place === "of the pool") return Buffer.from(bytes);
    const large = new Uint8Array(10_000).fill(255);
    large.set(bytes, 5000);
    return large.subarray(5000, 5000 + bytes.length);
  });

const count = fc.oneof(fc.nat({ max: 10 }), fc.nat({ max: 2000 }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("add" as const), chunk }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("take" as const), count }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("drop" as const), count }) },
  { weight: 1, arbitrary: fc.constant({ kind: "clear" as const }) },
);

test("ByteBuffer is a list of bytes under any program, and what it has given out never changes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const buffer = new ByteBuffer();
      let model: number[] = [];
      const given: { readonly bytes: Uint8Array; readonly expected: number[] }[] = [];
      for (const one of steps) {
        if (one.kind === "add") {
          buffer.add(one.chunk);
          model.push(...one.chunk);
          given.push({ bytes: one.chunk, expected: [...one.chunk] });
        } else if (one.kind === "take") {
          const expected = model.slice(0, one.count);
          model = model.slice(one.count);
          given.push({ bytes: buffer.take(one.count), expected });
        } else if (one.kind === "drop") {
          buffer.drop(one.count);
          model = model.slice(one.count);
        } else {
          buffer.clear();
          model = [];
        }
        expect(buffer.size).toBe(model.length);
        expect([...buffer.view]).toEqual(model);
        for (const { bytes, expected } of given) expect([...bytes]).toEqual(expected);
      }
    }),
  );
});

test("ByteBuffer keeps one chunk as it came, and gives it back without a copy", () => {
  const buffer = new ByteBuffer();
  const bytes = new Uint8Array(5000);
  buffer.add(bytes);
  expect(buffer.view.buffer).toBe(bytes.buffer);
  expect(buffer.take(5000).buffer).toBe(bytes.buffer);
  expect(buffer.size).toBe(0);
});

test("ByteBuffer copies a piece that would keep something much larger alive", () => {
  const buffer = new ByteBuffer();
  buffer.add(new Uint8Array(100_000));
  const piece = buffer.take(10);
  expect(piece.buffer.byteLength).toBeLessThan(10_000);
  expect(buffer.take(60_000).buffer.byteLength).toBe(100_000);
});

test("ByteBuffer gives no more than it has", () => {
  const buffer = new ByteBuffer();
  expect(buffer.take(10)).toHaveLength(0);
  buffer.add(new Uint8Array([1, 2, 3]));
  expect([...buffer.take(10)]).toEqual([1, 2, 3]);
  expect(buffer.take(0)).toHaveLength(0);
  buffer.drop(10);
  expect(buffer.size).toBe(0);
});

test("ByteBuffer grows by doubling: a million bytes, one by one", () => {
  const buffer = new ByteBuffer();
  for (let i = 0; i < 1_000_000; i++) buffer.add(Uint8Array.of(i & 255));
  expect(buffer.size).toBe(1_000_000);
  expect(buffer.view.every((byte, i) => byte === (i & 255))).toBe(true);
});

test("indexOf finds what a naive search finds", () => {
  const few = fc.uint8Array({ max: 2, maxLength: 60 });
  const pattern = fc.uint8Array({ max: 2, minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(few, pattern, fc.nat({ max: 70 }), (bytes, sought, from) => {
      const text = Buffer.from(bytes).toString("latin1");
      const expected = from > text.length ? -1 : text.indexOf(Buffer.from(sought).toString("latin1"), from);
      expect(indexOf(bytes, sought, from)).toBe(expected);
    }),
  );
});
