package main

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// openCheckpoint reads what the log promises, if the key signed it under the name of the log's origin.
func openCheckpoint(dir string, key ed25519.PublicKey) (tlog.Tree, error) {
	message, err := os.ReadFile(filepath.Join(dir, "log", "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, _, _ := strings.Cut(string(message), "\n")
	encoded, err := note.NewEd25519VerifierKey(origin, key)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(encoded)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 3 {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %d lines", len(lines))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// checkRoot builds the tree over the leaves' hashes and compares its root with the signed one.
func checkRoot(tree tlog.Tree, hashes []tlog.Hash) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = stored[index]
		}
		return found, nil
	})
	for n, hash := range hashes {
		more, err := tlog.StoredHashesForRecordHash(int64(n), hash, reader)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("tree: its root is %v, the checkpoint of %d leaves has %v", root, tree.N, tree.Hash)
	}
	return nil
}

// checkTiles reads every leaf's hash from the tiles, each proven by the signed root, and compares it with the leaf's.
func checkTiles(dir string, tree tlog.Tree, hashes []tlog.Hash) error {
	indexes := make([]int64, len(hashes))
	for n := range hashes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	found, err := tlog.TileHashReader(tree, tiles(dir)).ReadHashes(indexes)
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	for n, hash := range found {
		if hash != hashes[n] {
			return fmt.Errorf("tiles: another hash for leaf %d", n)
		}
	}
	return nil
}

// tiles reads tiles from the directory that it names.
type tiles string

func (tiles) Height() int { return tileHeight }

func (dir tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		// C2SP leaves out the height, which Go has in the path.
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
		content, err := os.ReadFile(filepath.Join(string(dir), "log", path))
		if err != nil {
			return nil, err
		}
		data[i] = content
	}
	return data, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
