//go:build linux

package load

import (
	"crypto/tls"
	"fmt"
)

// connectSecure is Connect over TLS, one client after the other. Who is connected
// so gets no messages: nobody reads them.
func (l *Load) connectSecure() error {
	for i := range l.clients {
		if err := l.dialSecure(&l.clients[i]); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	return nil
}

func (l *Load) dialSecure(c *client) error {
	conn, err := tls.Dial("tcp4", l.options.Address, &tls.Config{InsecureSkipVerify: true}) // it is the server that is measured
	if err != nil {
		return err
	}
	c.secure, c.state = conn, upgrading
	l.opening++
	if err := c.send(fmt.Appendf(nil, upgrade, l.options.Address)); err != nil {
		return err
	}
	for kept := 0; c.state != live; {
		n, err := conn.Read(l.buf[kept:])
		if err != nil {
			return err
		}
		kept += n
		used, err := l.consume(c, l.buf[:kept], 0)
		if err != nil {
			return err
		}
		kept = copy(l.buf, l.buf[used:kept])
	}
	return nil
}
