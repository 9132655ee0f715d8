// Package centrifuge stands in for github.com/centrifugal/centrifuge.
package centrifuge

type (
	Node          struct{ _ int }
	Client        struct{ _ int }
	PublishResult struct{ _ int }
	PublishOption func()
)

func (*Node) Publish(channel string, data []byte, opts ...PublishOption) (PublishResult, error) {
	return PublishResult{}, nil
}

func (*Client) Send(data []byte) error { return nil }
