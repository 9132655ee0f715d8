//go:build linux

package subject

import (
	"strconv"
)

// What servers without channels and offsets send is made here: the bytes that
// the others send too.

// subscribed answers the client's first frame.
const subscribed = `{"id":2,"subscribe":{}}`

// appendPush appends the envelope of the client protocol.
func appendPush(b []byte, channel string, m message, millis int64) []byte {
	b = append(b, `{"push":{"channel":"`...)
	b = append(b, channel...)
	b = append(b, `","pub":{"data":`...)
	b = append(b, m.data...)
	b = append(b, `,"offset":`...)
	b = strconv.AppendUint(b, m.n, 10)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, millis, 10)
	return append(b, `}}}`...)
}
