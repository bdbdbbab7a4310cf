import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "../../../../src/core/base/heap.ts";

const ascending = (a: number, b: number): boolean => a < b;

test("Heap gives its items back smallest first", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = new Heap(ascending);
      for (const item of items) heap.push(item);
      const popped = items.map(() => heap.pop());
      expect(popped).toEqual(items.toSorted((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

test("Heap behaves as a sorted array under any sequence of operations", () => {
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), value: fc.integer({ min: 0, max: 50 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("pop" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("keep" as const), divisor: fc.integer({ min: 2, max: 4 }) }),
    },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = new Heap(ascending);
      let model: number[] = [];
      for (const step of operations) {
        if (step.kind === "push") {
          heap.push(step.value);
          model = [...model, step.value].toSorted((a, b) => a - b);
        } else if (step.kind === "pop") {
          expect(heap.pop()).toBe(model.shift());
        } else {
          heap.keep((item) => item % step.divisor !== 0);
          model = model.filter((item) => item % step.divisor !== 0);
        }
        expect(heap.size).toBe(model.length);
        expect(heap.peek()).toBe(model[0]);
      }
      expect([...heap].toSorted((a, b) => a - b)).toEqual(model);
      heap.clear();
      expect(heap.size).toBe(0);
    }),
  );
});
