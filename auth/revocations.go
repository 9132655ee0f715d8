package auth

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"
)

// A Revocation takes back tokens: the one with an ID, or those of a User, all
// or only those issued before a time.
type Revocation struct {
	User   string
	ID     string    // set: that token, whoever's; User and Before must be empty
	Before time.Time // of a User: tokens issued before this, and those that do not say when; zero means all, also those to come
	Until  time.Time // when it ends; zero means when no token that was issued by now can be valid
}

// RevocationsConfig bounds what [Revocations] keep. The zero value means the
// defaults.
type RevocationsConfig struct {
	Max      int              // revocations kept; 0 means 100,000
	Lifetime time.Duration    // longest that tokens are valid, see Config.MaxLifetime; 0 means 30 days
	Now      func() time.Time // nil means time.Now
}

// Revocations remember which tokens are not to be taken, until those would have
// expired anyway. Their methods may be called concurrently, and Check on nil,
// which revokes nothing.
type Revocations struct {
	config RevocationsConfig // static after construction

	// mu guards the following.
	mu    sync.RWMutex
	until map[Revocation]time.Time // by target: its Before and Until are zero
	users map[string]cutoff        // tokens issued before a time
	sweep sweep
}

// A cutoff is the latest Before of a user, and the latest Until.
type cutoff struct{ before, until time.Time }

// NewRevocations returns Revocations of nothing.
func NewRevocations(c RevocationsConfig) *Revocations {
	if c.Max <= 0 {
		c.Max = 100_000
	}
	if c.Lifetime <= 0 {
		c.Lifetime = 30 * 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Revocations{config: c, until: make(map[Revocation]time.Time), users: make(map[string]cutoff)}
}

// Revoke adds x; of the same target the latest times count. It does not reach
// into live connections: close those of the user after it. It returns an error
// that wraps [ErrFull], and revokes nothing, if too many revocations are kept;
// none is dropped for a new one.
func (r *Revocations) Revoke(x Revocation) error {
	if (x.User == "") == (x.ID == "") || x.ID != "" && !x.Before.IsZero() {
		return errors.New("auth: a revocation is of a user or of a token ID")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.config.Now()
	if x.Until.IsZero() {
		x.Until = now.Add(r.config.Lifetime)
	}
	if !x.Until.After(now) {
		return nil
	}
	if r.sweep.due(now) {
		r.forget(now)
	}
	target := Revocation{User: x.User, ID: x.ID}
	_, known := r.until[target]
	if !x.Before.IsZero() {
		_, known = r.users[x.User]
	}
	if !known && len(r.until)+len(r.users) >= r.config.Max {
		return &failure{ErrFull, "this many revocations are the most that are kept"}
	}
	r.sweep.expect(x.Until)
	if x.Before.IsZero() {
		r.until[target] = latest(r.until[target], x.Until)
		return nil
	}
	c := r.users[x.User]
	r.users[x.User] = cutoff{latest(c.before, x.Before), latest(c.until, x.Until)}
	return nil
}

// Withdraw ends the revocations of a token ID, or of a user; the other may be
// empty.
func (r *Revocations) Withdraw(user, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.until, Revocation{ID: id})
	delete(r.until, Revocation{User: user})
	delete(r.users, user)
}

// Check returns nil, or an error that wraps [ErrRevoked]: of a token of this
// user, with this ID (empty for none), issued at this time (zero if the token
// does not say).
func (r *Revocations) Check(user, id string, issuedAt time.Time) error {
	if r == nil {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.until)+len(r.users) == 0 {
		return nil
	}
	now := r.config.Now()
	// A zero time, of what is not there, is past.
	if r.until[Revocation{User: user}].After(now) {
		return &failure{ErrRevoked, "as all of its user"}
	}
	if r.until[Revocation{ID: id}].After(now) {
		return &failure{ErrRevoked, "by its ID"}
	}
	if c := r.users[user]; c.until.After(now) && issuedAt.Before(c.before) {
		return &failure{ErrRevoked, "as those of its user issued before a time"}
	}
	return nil
}

// Snapshot returns what is revoked now, those of users first, in order.
func (r *Revocations) Snapshot() []Revocation {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := r.config.Now()
	var all []Revocation
	for x, until := range r.until {
		if x.Until = until; until.After(now) {
			all = append(all, x)
		}
	}
	for user, c := range r.users {
		if c.until.After(now) {
			all = append(all, Revocation{User: user, Before: c.before, Until: c.until})
		}
	}
	slices.SortFunc(all, func(a, b Revocation) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.User, b.User), a.Before.Compare(b.Before))
	})
	return all
}

func (r *Revocations) forget(now time.Time) {
	r.sweep.begin(now)
	for x, until := range r.until {
		if !until.After(now) {
			delete(r.until, x)
			continue
		}
		r.sweep.expect(until)
	}
	for user, c := range r.users {
		if !c.until.After(now) {
			delete(r.users, user)
			continue
		}
		r.sweep.expect(c.until)
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A sweep says when it is worth looking at all that is kept: something has
// ended, and the last look is a second ago.
type sweep struct {
	first time.Time // to end, of what is kept; zero if nothing does
	last  time.Time // when all was looked at
}

func (s *sweep) due(now time.Time) bool {
	return !s.first.IsZero() && !s.first.After(now) && !s.last.Add(time.Second).After(now)
}

func (s *sweep) begin(now time.Time) { *s = sweep{last: now} }

func (s *sweep) expect(end time.Time) {
	if s.first.IsZero() || end.Before(s.first) {
		s.first = end
	}
}
