package telemetry

import "context"

// Flush sends what waits.
func (t *Telemetry) Flush(ctx context.Context) error { return t.provider.ForceFlush(ctx) }

// What a collector that takes nothing may leave waiting, in spans.
const Waiting = queueLen + 2*batchLen
