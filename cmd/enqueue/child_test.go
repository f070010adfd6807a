package main

// childMain is where a test runs this program as a process of its own.
func childMain() bool { return false }
