// The connection: the unmodified centrifuge client over a WebSocket that can be
// dropped on purpose and whose frames can be looked at.
import { Centrifuge } from 'centrifuge';
import { at, parse, type Value } from './json.ts';

/** What a frame said of one publication, beyond what the client hands on. */
export interface Arrival {
  readonly text: string; // the JSON of the publication, as it arrived
  readonly time: number | undefined; // when the server took it, in ms since 1970
}

/** A connection to the server of this page. */
export class Connection {
  readonly client: Centrifuge;
  private socket: WebSocket | undefined;
  private readonly subscribes = new Map<number, string>(); // command id → channel
  private readonly arrivals = new Map<string, Arrival>();

  constructor() {
    const connection = this;
    class TappedSocket extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        connection.socket = this;
        connection.subscribes.clear();
        // Added before the client's own listener, so an arrival is known by the
        // time the client emits its publication.
        this.addEventListener('message', (event) => connection.received(String(event.data)));
      }
      override send(data: string): void {
        connection.sent(data);
        super.send(data);
      }
    }
    const url = new URL('/connection/websocket', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.client = new Centrifuge(url.href, { websocket: TappedSocket, name: 'surewire-demo', minReconnectDelay: 800, maxReconnectDelay: 3000 });
  }

  /** Closes the socket under the client, which knows nothing of it and reconnects. */
  drop(): void {
    this.socket?.close();
  }

  /** Returns, once, what arrived for a publication. */
  take(channel: string, offset: number | undefined): Arrival | undefined {
    const key = `${channel} ${offset}`;
    const arrival = this.arrivals.get(key);
    this.arrivals.delete(key);
    return arrival;
  }

  private sent(frame: string): void {
    for (const line of frame.split('\n').filter(Boolean)) {
      const command = JSON.parse(line) as { id?: number; subscribe?: { channel: string } };
      if (command.id && command.subscribe) this.subscribes.set(command.id, command.subscribe.channel);
    }
  }

  private received(frame: string): void {
    for (const line of frame.split('\n').filter(Boolean)) {
      const reply = parse(line);
      const channel = at(reply, 'push', 'channel');
      if (channel) this.keep(JSON.parse(channel.text) as string, at(reply, 'push', 'pub'));
      const recovered = at(reply, 'subscribe', 'publications');
      const subscribed = this.subscribes.get(Number(at(reply, 'id')?.text));
      if (subscribed !== undefined) recovered?.children.forEach((m) => this.keep(subscribed, m.value));
    }
  }

  private keep(channel: string, publication: Value | undefined): void {
    const offset = at(publication, 'offset')?.text;
    const time = at(publication, 'time')?.text;
    const data = at(publication, 'data');
    if (data) this.arrivals.set(`${channel} ${offset}`, { text: data.text, time: time === undefined ? undefined : Number(time) });
  }
}
