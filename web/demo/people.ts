// Who is here, and who is typing. The server knows connections, not names: each
// client says its own over a channel whose publications are not kept, when it
// comes, when somebody else does, and when it changes.
import type { Centrifuge, PublicationContext, Subscription } from 'centrifuge';
import { byId, count, h } from './dom.ts';

/** How long somebody is said to be typing after the last sign of it. */
const typingFor = 4000;

/** How often a sign is given at most: twice within that time. */
const typingEvery = 2000;

/** Joins and leaves are not kept either: who lags misses some, and asks now and then. */
const askAgainAfter = 60_000;

/** How many are listed by name. */
const listed = 12;

/** What is published: a name, and whether its owner is typing. */
interface Sign {
  name: string;
  typing?: boolean;
}

/** The part of the page that shows who is here. */
export class People {
  private readonly list = byId('people');
  private readonly line = byId('typing');
  private readonly subscription: Subscription;
  private readonly here = new Set<string>(); // IDs of connections
  private readonly names = new Map<string, string>(); // by ID
  private readonly typing = new Map<string, ReturnType<typeof setTimeout>>(); // by ID: when it is over
  private changes: Map<string, boolean> | undefined; // who came or went while the answer to who is here is on its way
  private me = '';
  private signedAt = -Infinity; // when a sign of typing was last given
  private hello: ReturnType<typeof setTimeout> | undefined;

  constructor(
    client: Centrifuge,
    channel: string,
    private readonly myName: () => string,
  ) {
    client.on('connected', (context) => (this.me = context.client));
    this.subscription = client.newSubscription(channel, { joinLeave: true });
    this.subscription.on('subscribed', () => {
      this.say({ name: this.myName() });
      void this.ask();
    });
    this.subscription.on('subscribing', () => {
      this.list.dataset['stale'] = 'true';
      for (const id of [...this.typing.keys()]) this.settle(id);
    });
    this.subscription.on('join', (context) => this.came(context.info.client));
    this.subscription.on('leave', (context) => this.went(context.info.client));
    this.subscription.on('publication', (context) => this.heard(context));
    setInterval(() => void this.ask(), askAgainAfter);
  }

  /** Begins, once the client is connected. */
  start(): void {
    this.subscription.subscribe();
  }

  /** Tells the others that one types, or, with nothing typed, no longer does. */
  type(something: boolean): void {
    const now = performance.now();
    if (something && now - this.signedAt < typingEvery) return;
    if (!something && this.signedAt === -Infinity) return;
    this.signedAt = something ? now : -Infinity;
    this.say({ name: this.myName(), typing: something });
  }

  /** Tells the others another name. */
  renamed(): void {
    this.show();
    this.greet();
  }

  /** Takes from a message that has arrived whose it is, and that it has been typed. */
  spoke(id: string | undefined, name: string): void {
    if (id === undefined) return;
    if (id === this.me) this.signedAt = -Infinity; // the next is another
    this.settle(id);
    this.learn(id, name);
  }

  /** Asks the server who is here. */
  private async ask(): Promise<void> {
    if (this.subscription.state !== 'subscribed' || this.changes) return;
    const changes = (this.changes = new Map());
    try {
      const { clients } = await this.subscription.presence();
      this.here.clear();
      for (const id of Object.keys(clients)) this.here.add(id);
      for (const [id, came] of changes) came ? this.here.add(id) : this.here.delete(id);
      for (const id of [...this.names.keys()]) if (!this.here.has(id)) this.names.delete(id);
      this.list.dataset['stale'] = 'false';
      this.show();
    } catch {
      // The connection broke: the next one asks.
    }
    this.changes = undefined;
  }

  private came(id: string): void {
    this.changes?.set(id, true);
    this.here.add(id);
    if (id !== this.me) this.greet();
    this.show();
  }

  private went(id: string): void {
    this.changes?.set(id, false);
    this.here.delete(id);
    this.settle(id);
    this.names.delete(id);
    this.show();
  }

  private heard({ data, info }: PublicationContext): void {
    const sign = (typeof data === 'object' && data !== null ? data : {}) as Partial<Sign>;
    if (!info || typeof sign.name !== 'string') return;
    this.learn(info.client, sign.name);
    if (info.client === this.me) return;
    clearTimeout(this.typing.get(info.client));
    if (sign.typing === true) this.typing.set(info.client, setTimeout(() => this.settle(info.client), typingFor));
    else this.typing.delete(info.client);
    this.showTyping();
  }

  private learn(id: string, name: string): void {
    const short = name.slice(0, 40);
    if (this.names.get(id) === short) return;
    this.names.set(id, short);
    if (this.here.has(id)) this.show();
  }

  /** id is not typing. */
  private settle(id: string): void {
    clearTimeout(this.typing.get(id));
    if (this.typing.delete(id)) this.showTyping();
  }

  /** Says one's name a little later, once for all who came meanwhile, and not at the same time as the others. */
  private greet(): void {
    this.hello ??= setTimeout(() => {
      this.hello = undefined;
      this.say({ name: this.myName() });
    }, 100 + Math.random() * 300);
  }

  private say(sign: Sign): void {
    if (this.subscription.state !== 'subscribed') return;
    this.subscription.publish(sign).catch(() => {}); // who is not connected is not here
  }

  private nameOf(id: string): string {
    return (id === this.me ? this.myName() : this.names.get(id)) || 'somebody';
  }

  private show(): void {
    const others = [...this.here].filter((id) => id !== this.me).sort((a, b) => this.nameOf(a).localeCompare(this.nameOf(b)));
    const ids = this.here.has(this.me) ? [this.me, ...others] : others;
    this.list.replaceChildren(
      ...ids.slice(0, listed).map((id) => h('li', { class: id === this.me ? 'person me' : 'person', 'data-client': id },
        h('span', { class: 'person-name' }, this.nameOf(id)), id === this.me && h('span', { class: 'you' }, 'you'))),
      ...(ids.length > listed ? [h('li', { class: 'more' }, `and ${count(ids.length - listed, 'other')}`)] : []),
    );
    byId('here').textContent = ids.length === 0 ? '' : `${ids.length} here`;
    this.showTyping();
  }

  private showTyping(): void {
    const names = [...this.typing.keys()].map((id) => this.nameOf(id));
    const text = names.length === 0 ? ''
      : names.length === 1 ? `${names[0]} is typing`
      : names.length === 2 ? `${names[0]} and ${names[1]} are typing`
      : `${names.length} people are typing`;
    // Written only when it says something else: it is read out each time.
    if (this.line.textContent !== text) this.line.textContent = text;
  }
}
