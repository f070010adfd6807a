// Package console is what layerq's programs have in common for those who type
// and script them: exit codes, how they say what is wrong, how signals end them,
// what help and completion look like.
package console
