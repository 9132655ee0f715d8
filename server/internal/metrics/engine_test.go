package metrics

import (
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// A collector is a function that collects.
type collector func(chan<- prometheus.Metric)

func (c collector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }
func (c collector) Collect(out chan<- prometheus.Metric) { c(out) }

// Each figure is shown, and none twice: in a struct whose fields have values of
// their own, each value is found once.
func TestEachFigureIsShown(t *testing.T) {
	var e Engine
	want := map[float64]string{}
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case f.CanUint():
			f.SetUint(uint64(1000 + i))
		case f.CanInt():
			f.SetInt(int64(1000 + i))
		default:
			continue // the times
		}
		want[float64(1000+i)] = v.Type().Field(i).Name
	}
	s := Store{Free: 2000, Used: 2001, Restarts: 2002}
	want[2000], want[2001], want[2002] = "Free", "Used", "Restarts"
	r := prometheus.NewRegistry()
	r.MustRegister(collector(func(out chan<- prometheus.Metric) {
		e.Collect(out)
		s.Collect(out)
	}))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if m.Histogram != nil {
				continue
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if want[value] == "" {
				t.Errorf("%s is %v, of a figure that is shown already, or of none", f.GetName(), value)
			}
			delete(want, value)
		}
	}
	if len(want) > 0 {
		t.Errorf("these are not shown: %v", want)
	}
}

func TestHistogram(t *testing.T) {
	counts := make([]uint64, 32)
	counts[0], counts[6], counts[7], counts[24], counts[31] = 1, 2, 4, 8, 16
	r := prometheus.NewRegistry()
	r.MustRegister(collector(func(out chan<- prometheus.Metric) { out <- histogram(publishTimes, counts) }))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	h := families[0].Metric[0].GetHistogram()
	if h.GetSampleCount() != 31 {
		t.Errorf("%d are counted", h.GetSampleCount())
	}
	got := map[float64]uint64{}
	for _, b := range h.Bucket {
		got[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	for bound, want := range map[float64]uint64{64e-6: 3, 128e-6: 7, 8.388608: 7, 16.777216: 15} {
		if got[bound] != want {
			t.Errorf("up to %v s are %d, want %d", bound, got[bound], want)
		}
	}
	if len(got) != 19 {
		t.Errorf("there are %d buckets", len(got))
	}
}
