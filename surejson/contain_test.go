package surejson_test

import (
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var nanoseconds = regexp.MustCompile(`([\d.]+) ns/op`)

// BenchmarkContainment says by how many percent containment makes encoding
// slower, as the median of rounds in which both are measured. In a round the
// fastest of many short measurements counts: other work on the machine makes
// some slow and none fast. It builds this package twice, the second time with
// the tag uncontained.
func BenchmarkContainment(b *testing.B) {
	var binaries [2]string
	for i, tag := range []string{"", "uncontained"} {
		binaries[i] = filepath.Join(b.TempDir(), "bench"+tag)
		if out, err := exec.Command("go", "test", "-c", "-tags", tag, "-o", binaries[i], ".").CombinedOutput(); err != nil {
			b.Skipf("%v: %s", err, out)
		}
	}
	for _, v := range benchmarkValues() {
		b.Run(v.name, func(b *testing.B) {
			var costs []float64
			for b.Loop() {
				var ns [2]float64
				for i, binary := range binaries {
					out, err := exec.Command(binary, "-test.run=^$", "-test.bench=BenchmarkAppend/"+v.name, "-test.benchtime=2ms", "-test.count=30").CombinedOutput()
					found := nanoseconds.FindAllSubmatch(out, -1)
					if err != nil || found == nil {
						b.Fatalf("%v: %s", err, out)
					}
					ns[i] = math.Inf(1)
					for _, f := range found {
						one, _ := strconv.ParseFloat(string(f[1]), 64)
						ns[i] = min(ns[i], one)
					}
				}
				costs = append(costs, 100*(ns[0]/ns[1]-1))
			}
			slices.Sort(costs)
			b.ReportMetric(costs[len(costs)/2], "%")
			b.ReportMetric(0, "ns/op")
		})
	}
}
