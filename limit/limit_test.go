package limit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"0": {}, "20/s": {PerSecond: 20}, "30/m": {PerSecond: 0.5}, " 20/s  burst 100 ": {20, 100}, "0.5/s": {PerSecond: 0.5},
	} {
		r, err := ParseRate(text)
		if err != nil || r != want {
			t.Errorf("%q: %v, %v, want %v", text, r, err, want)
		}
		if again, err := ParseRate(r.String()); err != nil || again != r {
			t.Errorf("%q: its String is %q, which reads %v, %v", text, r, again, err)
		}
	}
	for _, text := range []string{"", "20", "20/h", "-1/s", "0/s", "NaN/s", "Inf/s", "20/s burst", "20/s burst 0", "20/s burst x", "20/s at 3", "1e300/s"} {
		if r, err := ParseRate(text); err == nil {
			t.Errorf("%q: %v, want an error", text, r)
		}
	}
}

func TestBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Bucket
		r := Rate{PerSecond: 10, Burst: 3}
		take := func(want int) {
			t.Helper()
			n := 0
			for range 10 {
				if b.Take(r) {
					n++
				}
			}
			if n != want {
				t.Errorf("%d went through at once, want %d", n, want)
			}
		}
		take(3)
		take(0)
		time.Sleep(100 * time.Millisecond)
		take(1)
		time.Sleep(time.Hour) // being idle for long saves up no more than the burst
		take(3)
		if n := new(Bucket); !n.Take(Rate{}) || !n.Take(Rate{}) {
			t.Error("the zero rate limits")
		}
	})
}

func TestBucketIsShared(t *testing.T) {
	var b Bucket
	var n atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if b.Take(Rate{PerSecond: 0.001, Burst: 100}) {
					n.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n.Load() != 100 {
		t.Errorf("%d went through, want 100", n.Load())
	}
}

func TestBucketsForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Buckets
		r := Rate{PerSecond: 1, Burst: 1}
		for i := range 1000 {
			if key := fmt.Sprint(i); !b.Take(key, r) || b.Take(key, r) {
				t.Fatal("a key does not have its own bucket")
			}
		}
		time.Sleep(3 * time.Second)
		b.Take("new", r)
		if len(b.all) != 1 {
			t.Errorf("%d keys are kept after all but one were idle", len(b.all))
		}
		for i := range maxKeys + 10 {
			b.Take(fmt.Sprint("k", i), r)
		}
		if len(b.all) > maxKeys+1 {
			t.Errorf("%d keys are kept, more than the limit", len(b.all))
		}
	})
}

func TestCounts(t *testing.T) {
	var c Counts
	for i := range 4 {
		if got, want := c.Add("a", 3), i < 3; got != want {
			t.Errorf("the %d-th: %v", i+1, got)
		}
	}
	if !c.Add("b", 3) || !c.Add("c", 0) {
		t.Error("a key is held to the count of another, or to no limit")
	}
	c.Done("a")
	if !c.Add("a", 3) || c.Add("a", 3) {
		t.Error("what was done is not given back once")
	}
	for range 3 {
		c.Done("a")
	}
	c.Done("b")
	c.Done("c")
	if len(c.all) != 0 {
		t.Errorf("%d keys are kept of nothing", len(c.all))
	}
}
