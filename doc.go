// Package surewire holds the words of Surewire: a value is published to a
// channel, made valid JSON once, kept once by an [Engine], and read by as many
// cursors as there are subscribers.
//
// A [Publisher] is the one verb a backend needs:
//
//	p := &surewire.Publisher{Engine: memengine.New(memengine.Config{})}
//	receipt, err := p.Publish(ctx, "chat:1", anyGoValue)
//
// Publish does not fail because of the value: what JSON cannot hold is repaired
// by package surejson, and the [Receipt] reports each repair.
//
// The package imports no implementation: engines, the hub and the doors of a
// server live in the folders below it.
package surewire
