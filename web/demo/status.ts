// The header: the state of the connection, and where each channel stands.
import type { Centrifuge } from 'centrifuge';
import type { Notice } from './channel.ts';
import { byId, count, h } from './dom.ts';

/** Shows the state of client in the header. */
export function showConnection(client: Centrifuge): void {
  const pill = byId('connection');
  const state = byId('connection-state');
  const reason = byId('connection-reason');
  const show = (name: string, why: string) => {
    pill.dataset['state'] = name;
    state.textContent = name;
    reason.textContent = why;
  };
  client.on('connecting', (c) => show('connecting', c.code === 0 ? '' : `${c.reason} (${c.code})`));
  client.on('connected', () => show('connected', ''));
  client.on('disconnected', (c) => show('disconnected', `${c.reason} (${c.code})`));
}

/** A row of the header: a channel, its position, and what last happened to it. */
export class ChannelRow {
  private readonly position = h('code', { class: 'position' }, '–');
  private readonly last = h('span', { class: 'last', role: 'status' });
  private readonly row: HTMLElement;

  constructor(channel: string) {
    this.row = h('li', { class: 'channel', 'data-channel': channel }, h('span', { class: 'channel-name' }, channel), this.position, this.last);
    byId('channels').append(this.row);
  }

  /** Shows where reading stands. */
  at(epoch: string, offset: number): void {
    this.position.textContent = `${epoch || '–'}:${offset}`;
    this.position.title = `epoch ${epoch || 'not yet known'}, offset ${offset}`;
  }

  /** Shows what happened. */
  say(notice: Notice): void {
    this.last.textContent = describe(notice);
    this.row.dataset['last'] = notice.kind;
  }
}

/** Returns a notice in words. */
export function describe(notice: Notice): string {
  switch (notice.kind) {
    case 'resumed':
      if (notice.count === 0) return 'resumed: nothing was missed';
      return `resumed: ${notice.more ? 'at least ' : ''}${count(notice.count, 'missed message')} recovered`;
    case 'anew':
      return 'the log began anew';
    case 'lost':
      return notice.from === notice.to
        ? `message ${notice.from} is no longer kept: it cannot be shown`
        : `messages ${notice.from} to ${notice.to} are no longer kept: they cannot be shown`;
    case 'gap':
      return `out of order: expected message ${notice.expected}, got ${notice.got}`;
    case 'refused':
      return `not subscribed: ${notice.reason}`;
  }
}
