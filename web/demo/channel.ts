// One channel, read from a position to its end and on, and what became of the
// reading: resumed, begun anew, or with messages lost. It hides nothing: a gap or
// a double that the protocol forbids is told, not repaired.
import type { Centrifuge, PublicationContext, SubscribedContext, Subscription } from 'centrifuge';

/** What happened to the reading of a channel. */
export type Notice =
  | { kind: 'resumed'; count: number; more: boolean } // more: the count is a lower bound
  | { kind: 'anew' }
  | { kind: 'lost'; from: number; to: number }
  | { kind: 'gap'; expected: number; got: number }
  | { kind: 'refused'; reason: string };

/** Who hears of a channel. */
export interface Listener {
  message(context: PublicationContext): void;
  position(epoch: string, offset: number): void;
  notice(notice: Notice): void;
}

// The server puts at most so many missed publications into its reply, and pushes
// the rest, which then look like any other.
const replyLimit = 300;

// How far back from the end to look, one after the other, for what is still kept
// once the server says that it cannot go on from where this reader was.
const lookBack = [950, 300, 100, 0];

/** Reads a channel. */
export class Channel {
  private subscription: Subscription | undefined;
  private epoch = '';
  private offset = 0;
  private joined = false; // positions mean something
  private since: { offset: number; epoch: string } | undefined; // where the subscription was made to begin
  private attempts = 0; // of lookBack, since the position was lost
  private resumed: number | undefined; // publications counted so far in a reply

  constructor(
    private readonly client: Centrifuge,
    readonly name: string,
    private readonly listener: Listener,
  ) {}

  /** Starts to read: all that is kept, or only what comes from now on. */
  start(from: 'beginning' | 'now'): void {
    this.subscribe(from === 'beginning' ? { offset: 0, epoch: '' } : undefined);
  }

  /** Publishes data, and returns once the server has taken it. */
  async publish(data: unknown): Promise<void> {
    await this.subscription?.publish(data);
  }

  private subscribe(since: { offset: number; epoch: string } | undefined): void {
    if (this.subscription) {
      this.subscription.removeAllListeners();
      this.subscription.unsubscribe();
      this.client.removeSubscription(this.subscription);
    }
    this.since = since;
    const subscription = this.client.newSubscription(this.name, since ? { since } : {});
    subscription.on('subscribed', (context) => this.subscribed(context));
    subscription.on('publication', (context) => this.publication(context));
    subscription.on('unsubscribed', (context) => this.listener.notice({ kind: 'refused', reason: `${context.reason} (${context.code})` }));
    this.subscription = subscription;
    subscription.subscribe();
  }

  private subscribed(context: SubscribedContext): void {
    const epoch = context.streamPosition?.epoch ?? '';
    const head = context.streamPosition?.offset ?? 0;
    if (context.wasRecovering && !context.recovered) {
      this.lostPosition(epoch, head);
      return;
    }
    if (this.attempts > 0) {
      // Reading goes on from a position that lostPosition chose.
      const start = this.since?.offset ?? head;
      if (start > this.offset) this.listener.notice({ kind: 'lost', from: this.offset + 1, to: start });
      this.attempts = 0;
      this.moveTo(epoch, start);
    } else if (this.joined) {
      this.moveTo(epoch, this.offset);
      this.countResumed();
    } else {
      this.moveTo(epoch, this.since?.offset ?? head);
    }
    this.joined = true;
  }

  /** The server cannot go on from where this reader was. */
  private lostPosition(epoch: string, head: number): void {
    if (this.joined && epoch !== this.epoch) {
      this.listener.notice({ kind: 'anew' });
      this.moveTo(epoch, 0);
      this.joined = false;
      this.attempts = 0;
      this.subscribe({ offset: 0, epoch });
      return;
    }
    const back = lookBack[this.attempts++];
    this.subscribe(back === undefined ? undefined : { offset: Math.max(this.offset, head - back), epoch });
  }

  /** Counts the publications of a reply: the client emits them before it returns to the event loop. */
  private countResumed(): void {
    this.resumed = 0;
    queueMicrotask(() => {
      const count = this.resumed ?? 0;
      this.resumed = undefined;
      this.listener.notice({ kind: 'resumed', count, more: count >= replyLimit });
    });
  }

  private publication(context: PublicationContext): void {
    if (context.offset !== undefined) {
      if (context.offset !== this.offset + 1) this.listener.notice({ kind: 'gap', expected: this.offset + 1, got: context.offset });
      this.moveTo(this.epoch, context.offset);
    }
    if (this.resumed !== undefined) this.resumed++;
    this.listener.message(context);
  }

  private moveTo(epoch: string, offset: number): void {
    this.epoch = epoch;
    this.offset = offset;
    this.listener.position(epoch, offset);
  }
}
