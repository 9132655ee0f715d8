package memengine

// A ring is a queue in one slice: what is popped makes room for what is pushed,
// and nothing is moved. Its zero value is empty.
type ring[T any] struct {
	buf   []T // its length is the capacity
	start int // of the oldest element, in buf
	n     int // elements
}

// full reports whether the next push needs a larger buf.
func (r *ring[T]) full() bool { return r.n == len(r.buf) }

// at returns the i-th oldest element.
func (r *ring[T]) at(i int) *T {
	i += r.start
	if i >= len(r.buf) {
		i -= len(r.buf)
	}
	return &r.buf[i]
}

// push adds v as the newest. A full ring doubles, but not past limit elements,
// unless it must hold more.
func (r *ring[T]) push(v T, limit int) {
	if r.full() {
		r.resize(max(min(2*r.n, limit), r.n+1))
	}
	r.n++
	*r.at(r.n - 1) = v
}

// pop removes the oldest element and returns it.
func (r *ring[T]) pop() T {
	var zero T
	p := r.at(0)
	v := *p
	*p = zero // for the garbage collector
	r.n--
	if r.start++; r.start == len(r.buf) {
		r.start = 0
	}
	return v
}

// trim gives up a buf that is mostly empty.
func (r *ring[T]) trim() {
	if r.n == 0 {
		*r = ring[T]{}
	} else if 4*r.n <= len(r.buf) {
		r.resize(2 * r.n)
	}
}

func (r *ring[T]) resize(n int) {
	buf := make([]T, n)
	r.copyTo(buf, 0)
	r.buf, r.start = buf, 0
}

// copyTo copies the elements from the i-th oldest on to dst, as many as fit.
func (r *ring[T]) copyTo(dst []T, i int) {
	if i >= r.n {
		return
	}
	dst = dst[:min(len(dst), r.n-i)]
	from := r.start + i
	if from >= len(r.buf) {
		from -= len(r.buf)
	}
	n := copy(dst, r.buf[from:])
	copy(dst[n:], r.buf)
}
