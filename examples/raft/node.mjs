// One node of a replicated log: Raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014),
// without snapshots and changes of membership. Messages are datagrams, which may be lost, come twice, and overtake each
// other; Raft must not mind.
//
// The safeguards that make it safe can be taken out one by one with `without`, to see what each of them is for.

import * as asyncio from "asyncio-ts";

export const PORT = 7000;

const HEARTBEAT = 0.05;
const ELECTION = [0.15, 0.3];

/** How many entries a message has at most. */
const BATCH = 16;

/** What a node must not forget: its disk. It outlives the node. */
export function emptyDisk() {
  return { term: 0, votedFor: null, log: [] };
}

export class RaftNode {
  /**
   * @param id this node's host name
   * @param peers the host names of the others
   * @param disk made by `emptyDisk`, the same after each restart
   * @param options `random`; `without`, the safeguard that is taken out; `onLeader(node)`,
   *   `onApply(node, index, entry)` and `onSend(node, type)` for who looks on
   */
  constructor(id, peers, disk, { random = Math.random, without = null, onLeader, onApply, onSend } = {}) {
    this.id = id;
    this.peers = peers;
    this.disk = disk;
    this.term = disk.term;
    this.votedFor = disk.votedFor;
    this.log = [...disk.log];
    this.role = "follower";
    this.leader = null;
    this.votes = new Set();
    this.commitIndex = 0;
    this.lastApplied = 0;
    this.nextIndex = new Map();
    this.matchIndex = new Map();
    this.random = random;
    this.without = without;
    this.onLeader = onLeader ?? (() => {});
    this.onApply = onApply ?? (() => {});
    this.onSend = onSend ?? (() => {});
    this.transport = null;
    this.heard = 0;
  }

  /** Runs the node until it is cancelled. */
  async run() {
    const loop = asyncio.getRunningLoop();
    this.addresses = new Map();
    for (const peer of this.peers) {
      const [{ host, port }] = await loop.getaddrinfo(peer, PORT);
      this.addresses.set(peer, { host, port });
    }
    const protocol = { datagramReceived: (data) => this.#receive(JSON.parse(data)) };
    [this.transport] = await loop.createDatagramEndpoint(() => protocol, { localAddr: { port: PORT } });
    this.heard = loop.time();
    try {
      for (;;) await this.#tick(loop);
    } finally {
      this.transport.close();
    }
  }

  async #tick(loop) {
    if (this.role === "leader") {
      for (const peer of this.peers) this.#sendAppend(peer);
      await asyncio.sleep(HEARTBEAT);
      return;
    }
    const [least, most] = ELECTION;
    const patience = least + (most - least) * this.random();
    await asyncio.sleep(Math.max(this.heard + patience - loop.time(), 0.01));
    if (this.role !== "leader" && loop.time() - this.heard >= patience) this.#campaign(loop.time());
  }

  /** Appends `command` to the log, if this node is the leader; its index and term, or `null`. */
  propose(command) {
    if (this.role !== "leader") return null;
    this.log.push({ term: this.term, command });
    this.#saveLog();
    return { index: this.log.length, term: this.term };
  }

  // --- elections

  #campaign(now) {
    this.role = "candidate";
    this.term++;
    this.votedFor = this.id;
    this.#save();
    this.votes = new Set([this.id]);
    this.heard = now;
    for (const peer of this.peers) {
      this.#send(peer, { type: "vote?", lastIndex: this.log.length, lastTerm: this.#termAt(this.log.length) });
    }
  }

  #onVoteAsked({ from, term, lastIndex, lastTerm }) {
    const ownTerm = this.#termAt(this.log.length);
    const isUpToDate = lastTerm > ownTerm || (lastTerm === ownTerm && lastIndex >= this.log.length);
    const granted =
      term === this.term &&
      (this.votedFor === null || this.votedFor === from) &&
      (isUpToDate || this.without === "up-to-date votes");
    if (granted) {
      this.votedFor = from;
      this.#save();
      this.heard = asyncio.getRunningLoop().time();
    }
    this.#send(from, { type: "vote", granted });
  }

  #onVote({ from, term, granted }) {
    if (this.role !== "candidate" || term !== this.term || !granted) return;
    this.votes.add(from);
    if (!this.#isMajority(this.votes.size)) return;
    this.role = "leader";
    this.leader = this.id;
    for (const peer of this.peers) {
      this.nextIndex.set(peer, this.log.length + 1);
      this.matchIndex.set(peer, 0);
    }
    this.onLeader(this);
    for (const peer of this.peers) this.#sendAppend(peer);
  }

  // --- replication

  #sendAppend(peer) {
    const next = this.nextIndex.get(peer);
    this.#send(peer, {
      type: "append",
      prevIndex: next - 1,
      prevTerm: this.#termAt(next - 1),
      entries: this.log.slice(next - 1, next - 1 + BATCH),
      commitIndex: this.commitIndex,
    });
  }

  #onAppend({ from, term, prevIndex, prevTerm, entries, commitIndex }) {
    if (term < this.term && this.without !== "terms") {
      this.#send(from, { type: "appended", success: false, matchIndex: 0 });
      return;
    }
    this.role = "follower";
    this.leader = from;
    this.heard = asyncio.getRunningLoop().time();
    const fits = this.log.length >= prevIndex && this.#termAt(prevIndex) === prevTerm;
    if (!fits && this.without !== "log matching") {
      this.#send(from, { type: "appended", success: false, matchIndex: Math.min(this.log.length, prevIndex - 1) });
      return;
    }
    this.#take(prevIndex, entries);
    this.#commit(Math.min(commitIndex, prevIndex + entries.length));
    this.#send(from, { type: "appended", success: true, matchIndex: prevIndex + entries.length });
  }

  /** Only what contradicts the leader's log is cut off: a message that was overtaken must not shorten it. */
  #take(prevIndex, entries) {
    if (this.without === "careful truncation") this.log.length = Math.min(this.log.length, prevIndex);
    entries.forEach((entry, i) => {
      const index = prevIndex + i + 1;
      if (this.log.length >= index && this.#termAt(index) !== entry.term) this.log.length = index - 1;
      if (this.log.length < index) this.log.push(entry);
    });
    this.#saveLog();
  }

  #onAppended({ from, term, success, matchIndex }) {
    if (this.role !== "leader" || term !== this.term) return;
    if (!success) {
      this.nextIndex.set(from, Math.max(1, Math.min(this.nextIndex.get(from) - 1, matchIndex + 1)));
      this.#sendAppend(from);
      return;
    }
    this.matchIndex.set(from, Math.max(this.matchIndex.get(from), matchIndex));
    this.nextIndex.set(from, this.matchIndex.get(from) + 1);
    this.#commitWhatMostHave();
    if (this.nextIndex.get(from) <= this.log.length) this.#sendAppend(from);
  }

  /** An entry of an earlier term is committed only with a later one of the leader's own: section 5.4.2 of the paper. */
  #commitWhatMostHave() {
    for (let index = this.log.length; index > this.commitIndex; index--) {
      const count = 1 + this.peers.filter((peer) => this.matchIndex.get(peer) >= index).length;
      if (!this.#isMajority(count)) continue;
      if (this.#termAt(index) !== this.term && this.without !== "commits of its own term") return;
      this.#commit(index);
      return;
    }
  }

  #commit(index) {
    if (index > this.commitIndex) this.commitIndex = index;
    while (this.lastApplied < Math.min(this.commitIndex, this.log.length)) {
      this.lastApplied++;
      this.onApply(this, this.lastApplied, this.log[this.lastApplied - 1]);
    }
  }

  // --- messages

  #send(peer, message) {
    const text = JSON.stringify({ ...message, from: this.id, term: this.term });
    this.transport.sendto(text, this.addresses.get(peer));
    this.onSend(this, message.type);
  }

  #receive(message) {
    if (message.term > this.term) {
      this.term = message.term;
      this.votedFor = null;
      this.role = "follower";
      this.#save();
    }
    if (message.type === "vote?") this.#onVoteAsked(message);
    else if (message.type === "vote") this.#onVote(message);
    else if (message.type === "append") this.#onAppend(message);
    else this.#onAppended(message);
  }

  /** Writes to the disk what must outlive a crash, before anybody is told. */
  #save() {
    this.disk.term = this.term;
    if (this.without !== "votes on disk") this.disk.votedFor = this.votedFor;
  }

  #saveLog() {
    const { log } = this.disk;
    log.length = Math.min(log.length, this.log.length);
    this.log.forEach((entry, i) => (log[i] = entry));
  }

  #termAt(index) {
    return this.log[index - 1]?.term ?? 0;
  }

  #isMajority(count) {
    return count > (this.peers.length + 1) / 2;
  }
}
