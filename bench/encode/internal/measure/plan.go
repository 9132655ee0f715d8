package measure

import "time"

// A Task is one thing that is measured in each round.
type Task struct {
	Key     Key
	Measure func() (Sample, error)
}

// Key names what was measured.
type Key struct{ Encoder, Value, Mode string }

// Rounds measures each task once in each round, so that a slow minute of the
// machine is spread over all of them. Each round starts at another task, so
// that none always follows the same one. It calls tick after each task with
// how many are done.
func Rounds(tasks []Task, rounds int, tick func(done, all int)) (map[Key][]Sample, error) {
	samples := make(map[Key][]Sample, len(tasks))
	all, done := rounds*len(tasks), 0
	for round := range rounds {
		for i := range tasks {
			task := tasks[(i+round*len(tasks)/rounds)%len(tasks)]
			s, err := task.Measure()
			if err != nil {
				return nil, err
			}
			samples[task.Key] = append(samples[task.Key], s)
			done++
			tick(done, all)
		}
	}
	return samples, nil
}

// Remaining estimates from what is done how long the rest takes.
func Remaining(spent time.Duration, done, all int) time.Duration {
	if done == 0 {
		return 0
	}
	return time.Duration(float64(spent) / float64(done) * float64(all-done)).Round(time.Second)
}
