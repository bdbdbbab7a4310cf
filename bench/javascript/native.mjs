/** What those write themselves who have nothing but promises: locks and queues as the textbook has them. @module */

/** A semaphore, and with one slot a lock. A slot that is given back goes to the first in line. */
export class NativeSemaphore {
  #value;
  #waiting = [];

  constructor(value) {
    this.#value = value;
  }

  async acquire() {
    if (this.#value > 0) {
      this.#value--;
      return;
    }
    await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release() {
    const next = this.#waiting.shift();
    if (next === undefined) this.#value++;
    else next();
  }

  async hold(body) {
    await this.acquire();
    try {
      return await body();
    } finally {
      this.release();
    }
  }
}

/** A bounded queue in a ring buffer. */
export class NativeQueue {
  #items;
  #head = 0;
  #size = 0;
  #getting = [];
  #putting = [];

  constructor(capacity) {
    this.#items = new Array(capacity);
  }

  async put(item) {
    while (this.#size === this.#items.length) {
      await new Promise((resolve) => {
        this.#putting.push(resolve);
      });
    }
    this.#items[(this.#head + this.#size) % this.#items.length] = item;
    this.#size++;
    this.#getting.shift()?.();
  }

  async get() {
    while (this.#size === 0) {
      await new Promise((resolve) => {
        this.#getting.push(resolve);
      });
    }
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#items.length;
    this.#size--;
    this.#putting.shift()?.();
    return item;
  }
}
