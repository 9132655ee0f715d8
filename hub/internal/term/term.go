// Package term is how long something may last that a token allows.
package term

import "time"

// A Term is how long something may last. The zero Term is for ever.
type Term struct {
	Renews bool // the hub asks the application again, not the client

	expires time.Time // zero for never
	at      time.Time // when it ends, or is to be renewed; zero for neither
}

// A Maker makes terms. Grace is how long one goes on that has expired: the client
// may be about to bring a new token, and an application to answer again.
type Maker struct{ Grace time.Duration }

// New returns a term until expires, the zero time for never.
func (m Maker) New(expires time.Time, renews bool) Term {
	t := Term{Renews: renews, expires: expires, at: expires}
	if !expires.IsZero() && !renews {
		t.at = expires.Add(m.Grace)
	}
	return t
}

// Due reports whether t ends now, or is to be renewed.
func (t *Term) Due(now time.Time) bool { return !t.at.IsZero() && !t.at.After(now) }

// Begin says that t is being renewed: it is not due meanwhile.
func (t *Term) Begin() { t.at = time.Time{} }

// retry is how soon an application that could not answer is asked again.
const retry = 3 * time.Second

// Again has t renewed a little later, as often as the grace allows; then it ends.
func (m Maker) Again(t *Term) {
	t.at = time.Now().Add(retry)
	t.Renews = t.at.Before(t.expires.Add(m.Grace))
}

// TTL is what the client is told, at least a second: it need not know of what it
// has nothing to do with. 0 is never.
func (t *Term) TTL() time.Duration {
	if t.expires.IsZero() || t.Renews {
		return 0
	}
	return max(time.Until(t.expires), time.Second)
}

// Next returns the earlier of the time at which t is due and of another; zero
// times are never.
func (t *Term) Next(other time.Time) time.Time {
	if other.IsZero() || !t.at.IsZero() && t.at.Before(other) {
		return t.at
	}
	return other
}
