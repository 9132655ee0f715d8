// Package surewire stands in for the publisher.
package surewire

import "context"

type (
	Publisher     struct{ _ int }
	Receipt       struct{ _ int }
	PublishOption func()
)

func (*Publisher) Publish(ctx context.Context, channel string, v any, opts ...PublishOption) (Receipt, error) {
	return Receipt{}, nil
}
