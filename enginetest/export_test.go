package enginetest

import "time"

// WaitFor sets how long something that must happen may take.
func WaitFor(d time.Duration) { waitFor = d }
