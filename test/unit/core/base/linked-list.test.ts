import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Linked } from "../../../../src/core/base/linked-list.ts";
import { LinkedList } from "../../../../src/core/base/linked-list.ts";

class Item implements Linked<Item> {
  _previous: Item | null = null;
  _next: Item | null = null;
}

test("LinkedList behaves as an array under any sequence of additions and removals", () => {
  const operation = fc.oneof(fc.constant(null), fc.nat());
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const list = new LinkedList<Item>();
      const model: Item[] = [];
      for (const index of operations) {
        if (index === null || model.length === 0) {
          const item = new Item();
          list.add(item);
          model.push(item);
        } else {
          const [item] = model.splice(index % model.length, 1);
          list.delete(item!);
          expect([item!._previous, item!._next]).toEqual([null, null]);
        }
        expect(list.size).toBe(model.length);
        expect([...list].every((item, i) => item === model[i])).toBe(true);
      }
    }),
  );
});
