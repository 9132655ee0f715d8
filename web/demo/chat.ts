// The chat room. A message appears when the log says so, its sender's own too:
// what stands in the list is what everybody has.
import type { PublicationContext } from 'centrifuge';
import type { Channel, Notice } from './channel.ts';
import type { Arrival } from './connection.ts';
import { byId, count, h } from './dom.ts';
import type { People } from './people.ts';
import { describe } from './status.ts';

const names = ['Amber Otter', 'Blue Heron', 'Calm Badger', 'Dapper Newt', 'Early Wren', 'Fern Hare', 'Gentle Pike', 'Hazel Owl', 'Ivory Stoat', 'Jade Finch'];

/** The part of the page that is the chat. */
export class Chat {
  private readonly list = byId<HTMLOListElement>('messages');
  private readonly scroller = byId('log');
  private readonly newer = byId<HTMLButtonElement>('newer');
  private readonly name = byId<HTMLInputElement>('name');
  private readonly text = byId<HTMLInputElement>('text');
  private readonly failure = byId('send-failure');
  private readonly me: string;
  private people: People | undefined;
  private unseen = 0;
  private settling = false; // a scroll to the end is already planned
  private pinned = true; // the end of the list is in view
  private endAt = 0; // height of the list when it was last scrolled to its end

  constructor() {
    this.name.value = remembered('name', () => `${pick(names)} ${Math.floor(Math.random() * 90 + 10)}`);
    this.me = remembered('sender', () => crypto.getRandomValues(new Uint32Array(2)).join('-'));
    this.name.addEventListener('input', () => remember('name', this.name.value));
    this.name.addEventListener('change', () => this.people?.renamed());
    this.text.addEventListener('input', () => this.people?.type(this.text.value.trim() !== ''));
    this.scroller.addEventListener('scroll', () => this.scrolled());
    this.newer.addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(this.scroller);
  }

  /** Returns the name that the person goes by now. */
  myName(): string {
    return this.name.value.trim() || 'nobody';
  }

  /** Has people hear of names, and of who is typing. */
  tell(people: People): void {
    this.people = people;
  }

  /** Sends what is typed through channel. */
  sendThrough(channel: Channel): void {
    byId<HTMLFormElement>('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.submit(channel);
    });
  }

  private async submit(channel: Channel): Promise<void> {
    const text = this.text.value.trim();
    if (!text) return;
    // The next message may be typed, and sent, before this one is confirmed: one
    // connection keeps their order.
    this.text.value = '';
    this.failure.textContent = '';
    try {
      await channel.publish({ name: this.myName(), text, from: this.me });
      this.toEnd();
    } catch (error) {
      const why = (error as { message?: string }).message ?? String(error);
      this.failure.textContent = `Not confirmed: ${why}. If it does not appear above, send it again.`;
      if (!this.text.value) this.text.value = text;
    }
  }

  /** Appends a message that has arrived. */
  message(context: PublicationContext, arrival: Arrival | undefined): void {
    const data = (typeof context.data === 'object' && context.data !== null ? context.data : {}) as Record<string, unknown>;
    const said = typeof data['text'] === 'string';
    const mine = data['from'] === this.me;
    const name = typeof data['name'] === 'string' ? data['name'] : 'unnamed';
    const when = arrival?.time === undefined ? undefined : new Date(arrival.time);
    this.append(
      h('li', { class: mine ? 'message mine' : 'message', 'data-offset': String(context.offset ?? '') },
        h('div', { class: 'meta' },
          h('span', { class: 'who' }, name),
          when && h('time', { datetime: when.toISOString() }, when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })),
          h('span', { class: 'offset', title: 'offset in the log' }, context.offset === undefined ? '' : `#${context.offset}`)),
        said
          ? h('p', { class: 'text' }, data['text'] as string)
          : h('p', { class: 'text raw' }, arrival?.text ?? JSON.stringify(context.data))),
    );
    if (!this.pinned) this.unseen++;
    this.people?.spoke(context.info?.client, name);
  }

  /** Appends a line that says what happened to the log, unless all is there. */
  notice(notice: Notice): void {
    if (notice.kind === 'resumed') return;
    const text = notice.kind === 'anew' ? 'The log began anew. What is above is of the log before.' : sentence(describe(notice));
    this.append(h('li', { class: 'notice', 'data-notice': notice.kind }, text));
  }

  private append(item: HTMLLIElement): void {
    this.list.append(item);
    byId('nothing').hidden = true;
    if (this.settling) return;
    // Hundreds of messages may come at once: look at the layout once for all of
    // them, also in a tab that is hidden and has no animation frames.
    this.settling = true;
    setTimeout(() => {
      this.settling = false;
      if (this.pinned) this.toEnd();
      else this.showUnseen();
    });
  }

  private toEnd(): void {
    this.pinned = true;
    this.unseen = 0;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.endAt = this.scroller.scrollHeight;
    this.showUnseen();
  }

  private scrolled(): void {
    // An event of an earlier scroll, met by messages that are already in the list
    // but not yet scrolled to, says nothing of what the person did.
    if (this.settling) return;
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    // Nor does one that meets a new layout, before the observer of sizes has:
    // it is the end that moved.
    if (this.pinned && scrollHeight !== this.endAt) return this.toEnd();
    this.pinned = scrollHeight - scrollTop - clientHeight < 48;
    if (this.pinned) this.unseen = 0;
    this.showUnseen();
  }

  private showUnseen(): void {
    this.newer.hidden = this.unseen === 0;
    this.newer.textContent = `${count(this.unseen, 'new message')} ↓`;
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)]!;
}

// sessionStorage is one tab's: two tabs are two people. Where it is forbidden, a
// name lasts as long as the page.
function remembered(key: string, make: () => string): string {
  try {
    const known = sessionStorage.getItem(key);
    if (known !== null) return known;
  } catch {
    return make();
  }
  const value = make();
  remember(key, value);
  return value;
}

function remember(key: string, value: string): void {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // As above.
  }
}
