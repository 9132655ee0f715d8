package surejson_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var nanoseconds = regexp.MustCompile(`([\d.]+) ns/op`)

// BenchmarkContainment says by how many percent containment makes encoding
// slower, as the median of rounds in which both are measured. It builds this
// package twice, the second time with the tag uncontained.
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
					out, err := exec.Command(binary, "-test.run=^$", "-test.bench=BenchmarkAppend/"+v.name, "-test.benchtime=50ms").CombinedOutput()
					found := nanoseconds.FindSubmatch(out)
					if err != nil || found == nil {
						b.Fatalf("%v: %s", err, out)
					}
					ns[i], _ = strconv.ParseFloat(string(found[1]), 64)
				}
				costs = append(costs, 100*(ns[0]/ns[1]-1))
			}
			slices.Sort(costs)
			b.ReportMetric(costs[len(costs)/2], "%")
			b.ReportMetric(0, "ns/op")
		})
	}
}
