// Package nearest finds what somebody meant who mistyped a name: a flag, a
// variable, a task type.
package nearest

// To returns the candidate that word most likely stands for, or the empty
// string where none is near: at most a third of the letters may be wrong, and
// three at most.
func To(word string, candidates []string) string {
	best, least := "", min(max(len(word)/3, 1), 3)+1
	for _, c := range candidates {
		if d := distance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete, replace or swap with
// their neighbour that make a into b.
func distance(a, b string) int {
	// Three rows of the usual table: swapped neighbours look two rows back.
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+wrong)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
