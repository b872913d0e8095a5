// Builds folders with kustomize's own Go API, in this process, and says how long each build took
// and what it allocated: a line of JSON a build, as benches/render does for ours.
//
//	go run . SAMPLES NAME=FOLDER...
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

type sample struct {
	Who       string `json:"who"`
	Input     string `json:"input"`
	Run       int    `json:"run"`
	ElapsedNs int64  `json:"elapsed_ns"`
	Allocated uint64 `json:"allocated_bytes"`
	Objects   int    `json:"objects"`
	Bytes     int    `json:"bytes"`
}

func main() {
	samples, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, arg := range os.Args[2:] {
		name, folder, _ := strings.Cut(arg, "=")
		// One that is not counted comes first: it reads kustomize's own schema.
		build(name, folder, 0)
		for run := range samples {
			line, err := json.Marshal(build(name, folder, run))
			if err != nil {
				panic(err)
			}
			fmt.Println(string(line))
		}
	}
}

func build(name, folder string, run int) sample {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy
	built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		panic(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		panic(err)
	}
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	return sample{"kustomize-api", name, run, elapsed.Nanoseconds(), after.TotalAlloc - before.TotalAlloc,
		built.Size(), len(text)}
}
