package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	bundleSize = 256
	maxEvent   = 64 << 20
)

// leaf is what the log keeps of an event for ever.
type leaf struct {
	Commitment string `json:"c"` // SHA-256 of salt and event
	Index      int64  `json:"n"`
	Previous   string `json:"p"` // the hash of the leaf before it
}

// readLeaves reads the leaves' bytes from the entry bundles; where one is gone, its bytes are empty.
func readLeaves(dir string, size int64) ([][]byte, error) {
	leaves := make([][]byte, 0, size)
	for int64(len(leaves)) < size {
		first := int64(len(leaves))
		tile := tlog.Tile{H: tileHeight, L: -1, N: first / bundleSize, W: int(min(bundleSize, size-first))}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", tileHeight), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, "log", path))
		if err != nil {
			return nil, err
		}
		for range tile.W {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s ends within leaf %d", path, len(leaves))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			leaves = append(leaves, data[2:end])
			data = data[end:]
		}
	}
	return leaves, nil
}

// checkChain goes backwards: a leaf that has the hash that the next one names is to be believed about the one before
// it. So the hash of a leaf that is wrong or gone is known, and the rest of the tree can still be proven.
func checkChain(leaves [][]byte) (hashes []tlog.Hash, findings []string) {
	hashes = make([]tlog.Hash, len(leaves))
	moved := misplaced(leaves)
	expected := "" // what the next leaf names; empty where that can't be believed
	for n := len(leaves) - 1; n >= 0; n-- {
		data := leaves[n]
		content, ok := decode(data)
		found := ""
		switch {
		case len(data) == 0:
			found = "it is not there"
		case ok && content.Index != int64(n):
			found = fmt.Sprintf("here is what was written as leaf %d", content.Index)
			data = moved[int64(n)]
			content, ok = decode(data)
		case !ok || expected != "" && expected != hexHash(data):
			found = "its bytes are not those that were chained"
		}
		if found != "" {
			findings = append(findings, fmt.Sprintf("leaf %d: %s", n, found))
		}
		hashes[n] = tlog.RecordHash(data)
		if expected != "" && expected != hexHash(data) {
			ok = false
			raw, _ := hex.DecodeString(expected) // hexadecimal, since a leaf that was chained has it
			copy(hashes[n][:], raw)
		}
		expected = ""
		if ok {
			expected = content.Previous
		}
	}
	return hashes, findings
}

// misplaced finds the leaves that are in another's place, by the place that they name.
func misplaced(leaves [][]byte) map[int64][]byte {
	moved := map[int64][]byte{}
	for n, data := range leaves {
		if content, ok := decode(data); ok && content.Index != int64(n) {
			moved[content.Index] = data
		}
	}
	return moved
}

// checkEvents compares each event with the commitment of the leaf that its salt is for.
func checkEvents(dir string, leaves [][]byte) (findings []string, err error) {
	salts, err := os.Open(filepath.Join(dir, "salts.ndjson"))
	if err != nil {
		return nil, err
	}
	defer salts.Close()
	events, err := os.Open(filepath.Join(dir, "events.ndjson"))
	if err != nil {
		return nil, err
	}
	defer events.Close()
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, maxEvent)
	decoder := json.NewDecoder(salts)
	for lines.Scan() {
		var salt struct {
			N    int64  `json:"n"`
			Salt string `json:"salt"`
		}
		if err := decoder.Decode(&salt); err != nil {
			return nil, fmt.Errorf("salts.ndjson: %w", err)
		}
		raw, err := hex.DecodeString(salt.Salt)
		if err != nil || salt.N < 0 || salt.N >= int64(len(leaves)) {
			return nil, fmt.Errorf("salts.ndjson: no salt of a leaf: %+v", salt)
		}
		content, ok := decode(leaves[salt.N])
		if !ok || content.Index != salt.N {
			continue // the chain says what is wrong with it
		}
		sum := sha256.Sum256(append(raw, lines.Bytes()...))
		if hex.EncodeToString(sum[:]) != content.Commitment {
			findings = append(findings, fmt.Sprintf("leaf %d: its event is not what it committed to", salt.N))
		}
	}
	if err := decoder.Decode(new(any)); err != io.EOF {
		return nil, fmt.Errorf("salts.ndjson has more lines than events.ndjson")
	}
	return findings, lines.Err()
}

func decode(data []byte) (leaf, bool) {
	var content leaf
	err := json.Unmarshal(data, &content)
	return content, err == nil
}

func hexHash(data []byte) string {
	hash := tlog.RecordHash(data)
	return hex.EncodeToString(hash[:])
}
