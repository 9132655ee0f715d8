//go:build linux

package main

const help = `live compares a whole Surewire server with other servers for WebSockets, under
clients that check every message.

Usage, in the folder bench:

	go run ./live [flags]

It prints Markdown on standard output. Each server runs in a process of its
own, on 127.0.0.1; this process is the clients of all of them, in one event
loop. Servers take turns, round by round, so that what else the machine does
hits all. A figure is the median of the rounds, and ratios to "limit", which is
a bare loop of write(2), are medians of each round's ratio. Leave the machine
alone meanwhile: a full run takes some 15 minutes, and 10,000 connections need
as many open files in each of two processes.

Examples:

	go run ./live -out LIVE.md                 write the file of this repository
	go run ./live -cases fan1k -rounds 1       one scene, once
	go run ./live -servers surewire -profile p write profiles of surewire into the folder p
	go run ./live -servers 'surewire|limit'    measure what access costs, too
	go run ./live -quick                       see that it works; the figures mean nothing

Flags:

`
