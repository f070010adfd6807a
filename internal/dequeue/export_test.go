package dequeue

// SHA is the digest of our script.
var SHA = sha
