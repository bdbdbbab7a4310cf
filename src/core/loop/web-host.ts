/** The host for browsers and whatever else speaks the Web's timers: `MessageChannel`, `setTimeout`, `performance`. @module */

import type { Host, HostClient } from "./host.ts";

interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
  close(): void;
  unref?(): void;
  ref?(): void;
}

/** Missing in jsdom, where tests of pages run. */
declare const MessageChannel: (new () => { readonly port1: Port; readonly port2: Port }) | undefined;
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, milliseconds: number): unknown;
declare function clearTimeout(timer: unknown): void;

/** `setTimeout` takes a signed 32-bit number of milliseconds, and fires at once beyond it. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** A loop's host on the Web. A message to oneself is the fastest way to come back after the browser had its turn. */
export class WebHost implements Host {
  readonly clockResolution: number = 1e-6;
  #client: HostClient | null = null;
  #channel: { readonly port1: Port; readonly port2: Port } | null = null;
  #timer: unknown = null;
  /** A message is under way; one that is not wanted any more is ignored when it arrives. */
  #posted: boolean = false;
  #wanted: boolean = false;

  now(): number {
    return performance.now() / 1000;
  }

  connect(client: HostClient): void {
    this.#client = client;
    if (typeof MessageChannel === "undefined") return;
    this.#channel = new MessageChannel();
    this.#channel.port1.onmessage = () => this.#arrived();
  }

  disconnect(): void {
    this.#clearTimer();
    this.#channel?.port1.close();
    this.#channel = null;
    this.#client = null;
    this.#posted = false;
    this.#wanted = false;
  }

  requestTurn(delay: number): void {
    this.#clearTimer();
    this.#wanted = delay === 0;
    if (delay === 0) this.#post();
    else if (delay !== Infinity) {
      const milliseconds = Math.min(Math.ceil((delay - this.clockResolution) * 1000), LONGEST_TIMEOUT);
      this.#timer = setTimeout(() => this.requestTurn(0), milliseconds);
    }
  }

  #post(): void {
    if (this.#posted) return;
    this.#posted = true;
    if (this.#channel === null) setTimeout(() => this.#arrived(), 0);
    else this.#channel.port2.postMessage(null);
  }

  #arrived(): void {
    this.#posted = false;
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#client?.turn();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
