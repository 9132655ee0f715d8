// Package hook asks a backend, in any language, over HTTP: who a client is, what
// it may read, and what to make of what it says.
//
// Requests and answers are those of Centrifugo's HTTP proxy, so that handlers
// written for it work. A request is a POST with a JSON body; the answer is
// status 200 and one of
//
//	{"result": {…}}
//	{"error": {"code": 403, "message": "not yours", "temporary": false}}
//	{"disconnect": {"code": 4501, "reason": "unauthorized"}}
//
// Codes of errors are 100 to 1999, of disconnects 3000 to 4999. What the result
// of each event holds is told at the [Client]'s methods. Members that are null
// are as if they were not there, and unknown ones are passed over; but an answer
// with members of which none is of these three is no answer.
//
// An answer of {} allows to subscribe, to publish and to send, as Centrifugo
// takes it. To connect it does not: Centrifugo then goes on as if there were no
// hook, and lets an anonymous client in where that is configured. Who a client is
// must not hang on a setting elsewhere, so [Client.Connect] refuses; a backend
// that wants an anonymous client answers {"result": {"user": ""}}.
//
// # Signatures
//
// With [Config.Secret], each request has a header [SignatureHeader], of the form
// t=<unix seconds>,v1=<hex>: the HMAC-SHA256 of the seconds, a full stop and the
// body. In Python, with body and secret as bytes, and a ValueError for a header of
// another form:
//
//	def genuine(header, body, secret):
//	    t, v1 = (part.partition("=")[2] for part in header.split(","))
//	    mac = hmac.new(secret, t.encode() + b"." + body, hashlib.sha256).hexdigest()
//	    return hmac.compare_digest(mac.encode(), v1.encode()) and abs(time.time() - int(t)) < 300
//
// The body does not say which event it is of. Endpoints that must not take each
// other's requests need secrets of their own.
//
// # Failures
//
// A backend that does not answer, or not in this form, costs a client a temporary
// error, [wire.ErrInternal]: it tries again later. The log has the reason, and
// neither tokens nor secrets nor bodies.
//
// Calls that a backend may hear twice are attempted again, with a delay: connect,
// refresh, subscribe and sub_refresh. Publish, rpc and message are only where the
// request cannot have been sent.
//
// When requests fail one after the other, the breaker opens: for a while calls
// fail at once, and the backend is left alone. Then one request at a time is let
// through, until enough of them succeed. Requests that the backend turned down in
// good health do not count: a status of 3xx or 4xx, other than 408 and 429, or a
// result with a member of the wrong type. Otherwise one client could shut the
// hook to all others with a message that its handler does not take.
package hook
