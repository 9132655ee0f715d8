package natsembed

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

// A Cluster is what the servers of several processes need to become one. Node,
// Listen and Peers are required.
type Cluster struct {
	Name   string      // the same on all nodes; empty means "surewire"
	Node   string      // of this node, different from the others', and the same after a restart
	Listen string      // host:port that the other nodes connect to
	Peers  []string    // host:port of the other nodes; this one may be among them
	Secret string      // what nodes show each other; empty admits whoever reaches Listen
	TLS    *tls.Config // for both directions; nil means that nothing is encrypted
}

// apply makes a server of these options a node.
func (c *Cluster) apply(o *server.Options) error {
	if c.Node == "" || len(c.Peers) == 0 {
		return errors.New("a cluster needs a name for this node, and peers")
	}
	host, port, err := splitHostPort(c.Listen)
	if err != nil {
		return err
	}
	o.ServerName = c.Node
	// The server begins to talk to its peers once it listens for clients. So it
	// does, on this machine alone, and admits none but those of this process.
	o.DontListen, o.Host, o.Port = false, "127.0.0.1", server.RANDOM_PORT
	o.CustomClientAuthentication = inProcess{}
	o.Cluster = server.ClusterOpts{Name: c.Name, Host: host, Port: port, TLSConfig: c.TLS, TLSTimeout: 5, NoAdvertise: true, PoolSize: 3}
	if o.Cluster.Name == "" {
		o.Cluster.Name = "surewire"
	}
	var user *url.Userinfo
	if c.Secret != "" {
		o.Cluster.Username, o.Cluster.Password = "surewire", c.Secret
		user = url.UserPassword("surewire", c.Secret)
	}
	for _, peer := range c.Peers {
		if _, _, err := splitHostPort(peer); err != nil {
			return err
		}
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: peer, User: user})
	}
	return nil
}

func splitHostPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port <= 0 {
		return "", 0, fmt.Errorf("the address %q of a node is not host:port", address)
	}
	return host, port, nil
}

// inProcess admits clients that came by [Server.InProcessConn].
type inProcess struct{}

func (inProcess) Check(c server.ClientAuthentication) bool {
	at := c.RemoteAddress()
	return at != nil && at.Network() == "pipe" // of net.Pipe
}
