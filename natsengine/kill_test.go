package natsengine_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var killRounds = flag.Int("kills", 3, "how often TestKilled kills the process")

// A process that is killed at any moment loses nothing that it acknowledged; what
// was in doubt is there once after the retry.
func TestKilled(t *testing.T) {
	n := node{Dir: t.TempDir(), Channels: names("c:", 4)}
	writers := names("w", 8)
	b := newBook()
	for range *killRounds {
		c := launch(t, n, b, writers)
		c.wait(t, "ready", time.Minute)
		time.Sleep(time.Duration(20+rand.IntN(500)) * time.Millisecond)
		c.kill()
	}
	c := launch(t, n, b, writers)
	c.wait(t, "ready", time.Minute)
	c.tell(t, "quiet", "quiet")
	c.judge(t)
	c.tell(t, "exit", "gone")
}
