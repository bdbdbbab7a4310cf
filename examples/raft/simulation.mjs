// The cluster under a hostile network: three or five nodes, a client, and somebody who cuts links and pulls plugs. What Raft
// promises is checked whenever it is at stake.

import * as asyncio from "asyncio-ts";
import { random, SimulatedNetwork } from "asyncio-ts/testing";
import { emptyDisk, RaftNode } from "./node.mjs";

const NODES = ["n1", "n2", "n3", "n4", "n5"];

/** The messages at which somebody may stumble: who sends the next one of a kind falls over it, and gets up again. */
const STUMBLING_BLOCKS = ["vote?", "vote", "append", "appended"];

/** How long a run lasts, in simulated seconds: trouble, and then peace, in which the cluster must recover. */
export const TROUBLE = 6;
export const PEACE = 2;

/** The safeguards that can be taken out. */
export const SAFEGUARDS = [
  "votes on disk",
  "up-to-date votes",
  "log matching",
  "careful truncation",
  "commits of its own term",
  "terms",
];

/** What is true of a cluster whatever happens, in the paper's words (figure 3). */
class Promises {
  #leaders = new Map();
  #applied = [];
  nodes = new Map();

  /** Election safety: at most one leader in a term. Leader completeness: it has all that was committed before. */
  leader(node) {
    const other = this.#leaders.get(node.term);
    if (other !== undefined && other !== node.id) throw new Error("election safety: two leaders in one term");
    this.#leaders.set(node.term, node.id);
    this.#applied.forEach((entry, i) => {
      const own = node.log[i];
      if (own?.term !== entry.term || own.command !== entry.command) {
        throw new Error("leader completeness: a leader lacks an entry that was committed");
      }
    });
  }

  /** State machine safety: no two nodes apply different entries at the same index. */
  applied(index, entry) {
    const other = this.#applied[index - 1];
    if (other === undefined) this.#applied[index - 1] = entry;
    else if (other.term !== entry.term || other.command !== entry.command) {
      throw new Error("state machine safety: two nodes have applied different entries at one index");
    }
  }

  get committed() {
    return this.#applied.length;
  }
}

/** One run, for `explore`. */
export async function raft(without = null) {
  const network = new SimulatedNetwork({ latency: [0.001, 0.08], loss: 0.05, duplicates: 0.2 });
  const cluster = new Cluster(network, random() < 0.5 ? NODES.slice(0, 3) : NODES, without);
  const client = asyncio.createTask(() => cluster.proposeForEver(), { name: "client" });
  const trouble = asyncio.createTask(() => cluster.makeTrouble(), { name: "trouble" });
  await asyncio.sleep(TROUBLE);
  trouble.cancel();
  await asyncio.wait([trouble]);
  cluster.makePeace();
  const before = cluster.promises.committed;
  await asyncio.sleep(PEACE);
  client.cancel();
  await asyncio.wait([client]);
  if (cluster.promises.committed === before) throw new Error("liveness: nothing was committed in time of peace");
}

class Cluster {
  promises = new Promises();
  #network;
  #names;
  /** What runs on each host now. */
  #nodes = new Map();
  #stumblingBlock = null;

  constructor(network, names, without) {
    this.#network = network;
    this.#names = names;
    for (const name of names) {
      const peers = names.filter((other) => other !== name);
      const disk = emptyDisk();
      network.host(name).start(async () => {
        const node = new RaftNode(name, peers, disk, {
          random,
          without,
          onLeader: (leader) => this.promises.leader(leader),
          onApply: (_node, index, entry) => this.promises.applied(index, entry),
          onSend: (_node, type) => this.#stumble(name, type),
        });
        this.#nodes.set(name, node);
        await node.run();
      });
    }
  }

  /** Proposes a command to whoever thinks that it leads. */
  async proposeForEver() {
    for (let number = 1; ; number++) {
      await asyncio.sleep(0.02 + 0.1 * random());
      for (const node of this.#running) node.propose(number);
    }
  }

  async makeTrouble() {
    const network = this.#network;
    for (;;) {
      await asyncio.sleep(0.02 + 0.2 * random());
      // Who leads has the most to lose.
      const leader = this.#running.find(({ role }) => role === "leader")?.id;
      const host = network.host(leader !== undefined && random() < 0.5 ? leader : pick(this.#names));
      const what = random();
      if (what < 0.15 && host.isUp) host.crash();
      else if (what < 0.4) host.restart();
      else if (what < 0.55) network.partition(...this.#halves());
      else if (what < 0.65) network.cutWay(host, pick(this.#names.filter((name) => name !== host.name)));
      else if (what < 0.75) this.#stumblingBlock = pick(STUMBLING_BLOCKS);
      else network.heal();
    }
  }

  makePeace() {
    this.#stumblingBlock = null;
    this.#network.heal();
    for (const name of this.#names) if (!this.#network.host(name).isUp) this.#network.host(name).restart();
  }

  get #running() {
    return [...this.#nodes.values()].filter(({ id }) => this.#network.host(id).isUp);
  }

  #stumble(name, type) {
    if (type !== this.#stumblingBlock) return;
    this.#stumblingBlock = null;
    this.#network.host(name).restart();
  }

  #halves() {
    const some = this.#names.filter(() => random() < 0.5);
    return [some, this.#names.filter((name) => !some.includes(name))];
  }
}

function pick(list) {
  return list[Math.floor(random() * list.length)];
}
