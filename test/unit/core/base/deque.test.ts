import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Deque } from "../../../../src/core/base/deque.ts";

test("Deque gives its items back in the order they came, through growth", () => {
  const deque = new Deque<number>();
  for (let i = 0; i < 100; i++) deque.push(i);
  expect(deque.size).toBe(100);
  expect([...deque]).toEqual(Array.from({ length: 100 }, (_, i) => i));
  for (let i = 0; i < 100; i++) expect(deque.shift()).toBe(i);
  expect(deque.shift()).toBeUndefined();
});

test("Deque behaves as an array under any sequence of operations", () => {
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), value: fc.integer() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("shift" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const deque = new Deque<number>();
      let model: number[] = [];
      for (const step of operations) {
        if (step.kind === "push") {
          deque.push(step.value);
          model.push(step.value);
        } else if (step.kind === "shift") {
          expect(deque.shift()).toBe(model.shift());
        } else {
          deque.clear();
          model = [];
        }
        expect(deque.size).toBe(model.length);
        expect([...deque]).toEqual(model);
      }
    }),
  );
});
