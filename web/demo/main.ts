// The page of `surewire serve --dev`: its parts, and how they are joined.
import { Channel } from './channel.ts';
import { Chat } from './chat.ts';
import { Connection } from './connection.ts';
import { byId } from './dom.ts';
import { Hostiles } from './hostile.ts';
import { People } from './people.ts';
import { ChannelRow, showConnection } from './status.ts';

const connection = new Connection();
showConnection(connection.client);
byId('drop').addEventListener('click', () => connection.drop());

const chat = new Chat();
const lobbyRow = new ChannelRow('chat:lobby');
const lobby = new Channel(connection.client, 'chat:lobby', {
  message: (context) => chat.message(context, connection.take('chat:lobby', context.offset)),
  position: (epoch, offset) => lobbyRow.at(epoch, offset),
  notice: (notice) => {
    lobbyRow.say(notice);
    chat.notice(notice);
  },
});
chat.sendThrough(lobby);
const people = new People(connection.client, 'typing:lobby', () => chat.myName());
chat.tell(people);

const hostiles = new Hostiles();
const hostileRow = new ChannelRow('hostile');
const hostile = new Channel(connection.client, 'hostile', {
  message: (context) => hostiles.message(context, connection.take('hostile', context.offset)),
  position: (epoch, offset) => hostileRow.at(epoch, offset),
  notice: (notice) => hostileRow.say(notice),
});

await hostiles.load(); // the cards first, so that nothing arrives without a place
lobby.start('beginning');
hostile.start('now');
people.start();
connection.client.connect();
