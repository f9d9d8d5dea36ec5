// Verifylog checks a dump of a Ringfence log with nothing of Ringfence: the checkpoint's signature, the tree, the
// tiles, the chain of leaves, and that each event is the one that its leaf committed to. It names what is wrong.
//
//	ringfence lineage dump DIR --tenant acme
//	verifylog -key checkpoint.pub.pem DIR
package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	keyFile := flag.String("key", "", "the log's Ed25519 public key, a PEM file")
	flag.Parse()
	if *keyFile == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: verifylog -key PUBLIC.pem DIR")
		os.Exit(2)
	}
	size, findings, err := verify(*keyFile, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "verifylog:", err)
		os.Exit(1)
	}
	for _, finding := range findings {
		fmt.Println(finding)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d leaves: signature, tree, tiles, chain and events fit\n", size)
}

func verify(keyFile, dir string) (size int64, findings []string, err error) {
	key, err := readKey(keyFile)
	if err != nil {
		return 0, nil, err
	}
	tree, err := openCheckpoint(dir, key)
	if err != nil {
		return 0, nil, err
	}
	leaves, err := readLeaves(dir, tree.N)
	if err != nil {
		return 0, nil, err
	}
	hashes, findings := checkChain(leaves)
	events, err := checkEvents(dir, leaves)
	if err != nil {
		return 0, nil, err
	}
	findings = append(findings, events...)
	if err := checkRoot(tree, hashes); err != nil {
		return tree.N, append(findings, err.Error()), nil
	}
	if len(findings) == 0 {
		err = checkTiles(dir, tree, hashes)
	}
	return tree.N, findings, err
}

func readKey(file string) (ed25519.PublicKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New(file + " is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New(file + " is not an Ed25519 key")
	}
	return key, nil
}
