// Package hub holds the live connections and channels of one process.
//
// A subscription is a cursor: a position in its channel's log, owned by its
// connection. Each live channel has one bounded tail, its newest frames, which
// all its subscribers share; the only thing a connection does is to write what
// is after its cursors. A cursor that is older than the tail is served from the
// engine's history, by the same code, until the tail covers it. Live, slow and
// returning clients differ only in how far their cursors are from the end.
//
// There is no queue per connection: what a client has not yet been sent is in
// the log, and a client that cannot go on without a gap is told so.
//
// The parts: internal/tail is the log's newest frames and the cursors in them,
// internal/live the channels and who reads them, internal/link what is owed to
// one client and who writes it, internal/history what an engine has kept,
// internal/wheel the time, internal/roster who is there; this package is what
// clients ask and may.
//
// Every lock is a leaf: none is held while another is taken, nor across I/O or a
// call to an engine, a transport or an application.
package hub
