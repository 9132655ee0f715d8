package main

const usage = `encode compares surejson with other JSON encoders for Go, on five values.

Usage, in the folder bench:

	go run ./encode [flags]

It prints Markdown on standard output: nanoseconds, how many times those of
surejson, the spread over the rounds, bytes and allocations, each into a reused
buffer and into a fresh slice. A full run takes some two minutes, and means
most on a machine that does nothing else. First it checks that what each
encoder writes is, as JSON, what encoding/json writes; where it is not, a
footnote says so.

encoding/json/v2 is in the standard library only under GOEXPERIMENT=jsonv2. The
command builds itself once more with that, and has the second process measure
these encoders in turn with the others. That needs the go command, and a minute
the first time. -jsonv2=false leaves them out.

Examples:

	go run ./encode -out RESULTS.md              write the file of this repository
	go run ./encode -encoder goccy -rounds 3     surejson and goccy, quickly
	go run ./encode -value 'e-chat' -jsonv2=false

Flags:

`
