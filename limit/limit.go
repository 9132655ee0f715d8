// Package limit bounds how often something may happen and how much of it there
// may be, by itself and by key: an address, a user.
package limit

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Rate is how often something may happen: so many times a second, and Burst
// times at once. The zero Rate does not limit.
type Rate struct {
	PerSecond float64
	Burst     int // 0 means as many as in a second, at least 1
}

// ParseRate reads "20/s", "20/s burst 100", "30/m" or "0", which does not limit.
func ParseRate(text string) (Rate, error) {
	fields := strings.Fields(text)
	if len(fields) == 1 && fields[0] == "0" {
		return Rate{}, nil
	}
	want := fmt.Errorf(`rate %.40q: want a number per second or minute, as "20/s", "30/m" or "20/s burst 100"; 0 does not limit`, text)
	if len(fields) != 1 && (len(fields) != 3 || fields[1] != "burst") {
		return Rate{}, want
	}
	number, unit, _ := strings.Cut(fields[0], "/")
	n, err := strconv.ParseFloat(number, 64)
	per, ok := map[string]float64{"s": 1, "m": 60}[unit]
	if err != nil || !ok || !(n > 0 && n <= 1e9) {
		return Rate{}, want
	}
	r := Rate{PerSecond: n / per}
	if len(fields) == 3 {
		if r.Burst, err = strconv.Atoi(fields[2]); err != nil || r.Burst < 1 {
			return Rate{}, want
		}
	}
	return r, nil
}

// UnmarshalText implements [encoding.TextUnmarshaler], by [ParseRate].
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// String returns r as [ParseRate] reads it.
func (r Rate) String() string {
	switch {
	case r.PerSecond <= 0:
		return "0"
	case r.PerSecond < 1:
		return r.format(r.PerSecond*60, "m")
	}
	return r.format(r.PerSecond, "s")
}

func (r Rate) format(n float64, unit string) string {
	s := strconv.FormatFloat(n, 'g', -1, 64) + "/" + unit
	if r.Burst > 0 {
		s += " burst " + strconv.Itoa(r.Burst)
	}
	return s
}

// MarshalText implements [encoding.TextMarshaler].
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// interval is how long one takes, and slack how far ahead of time one may be.
func (r Rate) interval() (interval, slack time.Duration) {
	burst := float64(r.Burst)
	if burst < 1 {
		burst = max(r.PerSecond, 1)
	}
	interval = time.Duration(float64(time.Second) / r.PerSecond)
	return interval, time.Duration((burst - 1) * float64(interval))
}

// epoch is before any time a clock shows, also one of a test, so that the zero
// Bucket is of the past.
var epoch = time.Now().AddDate(-50, 0, 0)

// A Bucket holds one thing to a [Rate], by the generic cell rate algorithm (ITU-T
// I.371): it is the time at which the next would come if all were evenly spread.
// Its zero value is full. Its methods may be called concurrently.
type Bucket struct{ next atomic.Int64 } // nanoseconds since epoch

// Take reports whether one more may happen now, and counts it if so.
func (b *Bucket) Take(r Rate) bool { return b.take(r, time.Now()) }

func (b *Bucket) take(r Rate, now time.Time) bool {
	if r.PerSecond <= 0 {
		return true
	}
	interval, slack := r.interval()
	at := int64(now.Sub(epoch))
	for {
		was := b.next.Load()
		next := max(was, at)
		if next-at > int64(slack) {
			return false
		}
		if b.next.CompareAndSwap(was, next+int64(interval)) {
			return true
		}
	}
}

// idle reports whether b is as good as a new one.
func (b *Bucket) idle(now time.Time) bool { return b.next.Load() <= int64(now.Sub(epoch)) }

// maxKeys bounds what is kept about keys that somebody may make up.
const maxKeys = 1 << 17

// Buckets hold each key to a [Rate]. Their zero value is ready to use. Their
// methods may be called concurrently.
type Buckets struct {
	mu    sync.Mutex // guards the following
	all   map[string]*Bucket
	sweep time.Time // when idle ones may be looked for again
}

// Take reports whether one more may happen for key now, and counts it if so.
// Above 131,072 keys that are at work at a time, those beyond share one bucket.
func (b *Buckets) Take(key string, r Rate) bool {
	if r.PerSecond <= 0 {
		return true
	}
	now := time.Now()
	return b.of(key, now).take(r, now)
}

func (b *Buckets) of(key string, now time.Time) *Bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bucket := b.all[key]; bucket != nil {
		return bucket
	}
	if b.all == nil {
		b.all = make(map[string]*Bucket)
	}
	if now.After(b.sweep) {
		// The cost of a look at all is shared by those that came since the last.
		b.sweep = now.Add(time.Second)
		for k, bucket := range b.all {
			if bucket.idle(now) {
				delete(b.all, k)
			}
		}
	}
	if len(b.all) >= maxKeys {
		key = "" // of what came too late
		if bucket := b.all[key]; bucket != nil {
			return bucket
		}
	}
	bucket := new(Bucket)
	b.all[strings.Clone(key)] = bucket
	return bucket
}

// Counts count what each key has. Their zero value is ready to use. Their methods
// may be called concurrently.
type Counts struct {
	mu  sync.Mutex // guards all
	all map[string]int
}

// Add counts one more for key unless there are limit already, and reports
// whether there is room. A limit of 0 does not limit, and needs no count.
func (c *Counts) Add(key string, limit int) bool {
	if limit <= 0 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[key]
	if n >= limit {
		return false
	}
	if c.all == nil {
		c.all = make(map[string]int)
	}
	if n == 0 {
		key = strings.Clone(key)
	}
	c.all[key] = n + 1
	return true
}

// Done counts one less for key. It follows an Add that reported true.
func (c *Counts) Done(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.all[key] - 1; n > 0 {
		c.all[key] = n
		return
	}
	delete(c.all, key)
}
