// What lies between clients and nodes, and between the nodes: proxies that can
// choose, delay, cut and hold.
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';

/** Listens on a free port until the test ends, and returns the port. */
async function listen(t, accept) {
  const open = new Set();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {}); // close follows
    accept(socket);
  });
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/**
 * A TCP balancer before nodes { port, ready() }: it asks them all the time whether
 * they are ready, and whoever connects is given that with the fewest connections
 * of those that were when they were asked last.
 */
export class Balancer {
  #open; // by node: the sockets of its clients
  #ready; // by node

  static async start(t, nodes) {
    const b = new Balancer();
    b.#open = nodes.map(() => new Set());
    b.#ready = await Promise.all(nodes.map((n) => n.ready()));
    let over = false;
    const ask = async (i) => {
      while (!over) {
        await pass(100);
        b.#ready[i] = await nodes[i].ready();
      }
    };
    const asking = nodes.map((_, i) => ask(i));
    t.after(() => {
      over = true;
      return Promise.all(asking);
    });
    const port = await listen(t, (socket) => b.#accept(socket, nodes));
    b.url = `http://127.0.0.1:${port}/`;
    return b;
  }

  #accept(socket, nodes) {
    const [at] = [...nodes.keys()].filter((i) => this.#ready[i]).sort((a, b) => this.count(a) - this.count(b));
    if (at === undefined) {
      socket.destroy();
      return;
    }
    this.#open[at].add(socket);
    const node = net.connect(nodes[at].port, '127.0.0.1');
    socket.on('close', () => {
      this.#open[at].delete(socket);
      node.destroy();
    });
    node.on('error', () => (this.#ready[at] = false)); // close follows
    node.on('close', () => socket.destroy());
    socket.pipe(node).pipe(socket);
  }

  /** Returns how many clients a node has. */
  count(node) {
    return this.#open[node].size;
  }

  /** Ends connections of nodes that have more than their share, as balancers do once another node is back. Returns how many. */
  even() {
    const share = Math.ceil(this.#open.reduce((sum, open) => sum + open.size, 0) / this.#open.length);
    const beyond = this.#open.flatMap((open) => [...open].slice(share));
    for (const socket of beyond) socket.destroy();
    return beyond.length;
  }
}

/** A proxy on the way from one node to another, at 127.0.0.1. */
export class Link {
  #open = new Map(); // sockets of both sides; when they were opened
  #whole = Promise.resolve(); // pending while nothing gets through
  #light; // resolves it
  #since; // when it went dark
  #low = 0;
  #high = 0;

  /** Starts a link to a port of a host. */
  static async start(t, host, port) {
    const link = new Link();
    link.port = await listen(t, (from) => link.#carry(from, host, port));
    t.after(() => link.heal(false));
    return link;
  }

  async #carry(from, host, port) {
    this.#hold(from);
    await this.#whole;
    if (from.destroyed) return;
    const to = net.connect(port, host);
    this.#hold(to);
    to.on('error', () => {}); // close follows: that node is down
    this.#pump(from, to);
    this.#pump(to, from);
  }

  #hold(socket) {
    socket.setNoDelay();
    this.#open.set(socket, performance.now());
    socket.on('close', () => this.#open.delete(socket));
  }

  /** Carries one direction, in order: each piece waits for the one before. */
  #pump(from, to) {
    let way = Promise.resolve();
    from.on('data', (data) => {
      const due = performance.now() + this.#low + Math.random() * (this.#high - this.#low);
      way = way.then(async () => {
        const wait = due - performance.now();
        if (wait > 0) await pass(wait);
        await this.#whole;
        if (!to.destroyed) to.write(data);
      });
    });
    from.on('close', () => (way = way.then(() => to.destroy())));
    from.resume();
  }

  /** Has what is sent from now on take between low and high ms. */
  delay(low, high) {
    this.#low = low;
    this.#high = high;
  }

  /** Closes all connections, and returns how many there were. */
  cut() {
    const n = this.#open.size / 2;
    for (const socket of this.#open.keys()) socket.destroy();
    return n;
  }

  /** Lets nothing through any more, and leaves the connections open. */
  darken() {
    if (this.#light) return;
    this.#whole = new Promise((resolve) => (this.#light = resolve));
    this.#since = performance.now();
  }

  /** Lets pass what was held: it is late, but it comes. Or else its connections end, and it is lost. */
  heal(late) {
    if (!this.#light) return;
    for (const [socket, opened] of this.#open) {
      if (!late || opened > this.#since) socket.destroy(); // who came while it was dark has not been heard
    }
    this.#light();
    this.#light = undefined;
  }
}
