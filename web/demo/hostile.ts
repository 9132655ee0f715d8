// The hostile values: a card for each, with its source, what encoding/json does
// with it, and, once it was published, what arrived here and what was repaired.
import type { PublicationContext } from 'centrifuge';
import type { Arrival } from './connection.ts';
import { byId, count, h } from './dom.ts';
import { parse, type Value } from './json.ts';

interface Listed {
  name: string;
  title: string;
  go: string;
  stdlib: { outcome: 'json' | 'error' | 'panic'; text: string; note: string };
}

interface Receipt {
  name: string;
  offset: number;
  epoch: string;
  report: { repairs: Repair[]; total: number };
}

interface Repair {
  pointer: string;
  go_type: string;
  reason: string;
  wrote: string;
  detail?: string;
}

/** The part of the page that is the panel of hostile values. */
export class Hostiles {
  private readonly cards = new Map<string, Card>();

  /** Asks the server for the values and shows them. */
  async load(): Promise<void> {
    const panel = byId('values');
    try {
      const response = await fetch('/demo/hostile');
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      for (const value of ((await response.json()) as { values: Listed[] }).values) {
        const card = new Card(value);
        this.cards.set(value.name, card);
        panel.append(card.element);
      }
    } catch (error) {
      panel.append(h('p', { class: 'failure', role: 'alert' }, `The values could not be listed: ${(error as Error).message}. Reload to try again.`));
    }
  }

  /** Shows a publication in the card that its tag names. */
  message(context: PublicationContext, arrival: Arrival | undefined): void {
    const card = this.cards.get(context.tags?.['value'] ?? '');
    card?.arrived(context.offset ?? 0, arrival?.text ?? JSON.stringify(context.data));
  }
}

// What is known of one publication. Its receipt and the publication itself come
// by different ways, in either order; another tab's receipt never comes.
interface Entry {
  offset: number;
  json?: Value;
  receipt?: Receipt;
}

class Card {
  readonly element: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly result = h('div', { class: 'result', 'aria-live': 'polite' });
  private entry: Entry = { offset: 0 };

  constructor(private readonly value: Listed) {
    const { outcome, text, note } = value.stdlib;
    const title = `value-${value.name}`;
    this.button = h('button', { type: 'button', class: 'publish', 'aria-describedby': title, click: () => void this.publish() }, 'Publish');
    this.element = h('article', { class: 'card', 'data-value': value.name, 'aria-labelledby': title },
      h('header', {}, h('h3', { id: title }, value.title), this.button),
      h('pre', { class: 'go', tabindex: '0', 'aria-label': 'Go source' }, h('code', {}, value.go)),
      h('div', { class: 'stdlib', 'data-outcome': outcome },
        h('p', {}, h('span', { class: 'label' }, 'encoding/json'), h('code', {}, outcome === 'json' ? text : `${outcome}: ${text}`)),
        h('p', { class: 'note' }, note)),
      this.result);
  }

  private async publish(): Promise<void> {
    this.button.disabled = true;
    try {
      const response = await fetch(`/demo/hostile/${this.value.name}`, { method: 'POST' });
      const answer = (await response.json()) as Receipt & { error?: string };
      if (!response.ok) throw new Error(answer.error ?? `the server answered ${response.status}`);
      this.of(answer.offset).receipt = answer;
      this.show();
    } catch (error) {
      this.result.replaceChildren(h('p', { class: 'failure', role: 'alert' }, `Not published: ${(error as Error).message}`));
    }
    this.button.disabled = false;
  }

  /** Takes the JSON that arrived at offset. */
  arrived(offset: number, text: string): void {
    this.of(offset).json = parse(text);
    this.show();
  }

  /** Returns the entry of offset, which becomes the one that is shown. */
  private of(offset: number): Entry {
    if (this.entry.offset !== offset) this.entry = { offset };
    return this.entry;
  }

  private show(): void {
    const { offset, json, receipt } = this.entry;
    this.element.dataset['offset'] = String(offset);
    this.element.dataset['arrived'] = String(json !== undefined);
    this.element.dataset['receipt'] = String(receipt !== undefined);
    this.result.replaceChildren(
      h('p', { class: 'label' }, json ? `arrived over the WebSocket, offset ${offset}` : `published at offset ${offset}, not here yet`),
      json ? h('pre', { class: 'json', tabindex: '0', 'aria-label': 'JSON that arrived' }, pretty(json, receipt?.report.repairs ?? [])) : '',
      receipt ? repairList(receipt) : h('p', { class: 'note' }, 'Published by another tab, which has the receipt with the repairs.'),
    );
  }
}

/** Returns value as indented JSON, spelled as it arrived, with the repairs marked. */
function pretty(value: Value, repairs: Repair[]): HTMLElement {
  const marks = new Map<string, string>();
  repairs.forEach((r, i) => marks.set(r.pointer, [marks.get(r.pointer), String(i + 1)].filter(Boolean).join(' ')));
  const code = h('code');
  write(code, value, '', marks);
  return code;
}

function write(into: HTMLElement, value: Value, indent: string, marks: Map<string, string>): void {
  const mark = marks.get(value.pointer);
  const target = mark === undefined ? into : h('mark', { 'data-pointer': value.pointer });
  if (target !== into) into.append(target);
  if (value.children.length === 0) {
    target.append(h('span', { class: value.kind }, value.text));
  } else {
    const [open, close] = value.kind === 'object' ? '{}' : '[]';
    const inner = `${indent}  `;
    target.append(open!);
    value.children.forEach((member, i) => {
      target.append(i === 0 ? '\n' : ',\n', inner);
      if (value.kind === 'object') target.append(h('span', { class: 'key' }, member.keyText), ': ');
      write(target, member.value, inner, marks);
    });
    target.append(`\n${indent}`, close!);
  }
  if (mark !== undefined) target.append(h('sup', {}, mark));
}

function repairList({ report }: Receipt): HTMLElement {
  if (report.total === 0) return h('p', { class: 'clean' }, 'No repairs: JSON holds all that the value says.');
  const rows = report.repairs.map((r) =>
    h('li', { class: 'repair' },
      h('code', { class: 'pointer' }, r.pointer || '(the whole value)'),
      h('span', {}, h('code', {}, r.go_type), ' ', h('span', { class: 'reason' }, r.reason), ' wrote ', h('code', { class: 'wrote' }, r.wrote)),
      r.detail ? h('span', { class: 'detail' }, r.detail) : ''));
  const more = report.total - report.repairs.length;
  return h('div', { class: 'repairs' },
    h('p', { class: 'label' }, `${count(report.total, 'repair')}, from the receipt`),
    h('ol', {}, ...rows),
    more > 0 && h('p', { class: 'note' }, `and ${more} more`));
}
