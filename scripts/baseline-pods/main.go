// A real kubelet on a container runtime that does what a script says.
//
//	cd scripts/baseline-pods && go build -tags selinux,notest,grpcnotrace -o FILE .
//	FILE KUBECONFIG NODE SCRIPT.json
//
// It is kubemark's hollow node with two things put back, the prober and the Events, and with a
// runtime whose images behave as SCRIPT says. The script maps an image to what it does, times in
// seconds:
//
//	pull: {after, fails, never}      run: {after, code, times}      ready, live: after
//	stop: {after, ignored}           postStart, preStop: {after, fails, never}
//
// What a container runs in probes and hooks is the name of what is asked: ["ready"], ["live"],
// ["startup"], ["postStart"], ["preStop"]. A container whose run is over `times` times goes on.
// Everything else that one sees is the kubelet's own doing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	apitest "k8s.io/cri-api/pkg/apis/testing"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
	utilexec "k8s.io/utils/exec"
)

type outcome struct {
	After   float64 `json:"after"`
	Fails   bool    `json:"fails"`
	Never   bool    `json:"never"`
	Ignored bool    `json:"ignored"`
	Code    int32   `json:"code"`
	Times   *uint32 `json:"times"`
}

type image struct {
	Pull      *outcome `json:"pull"`
	Run       *outcome `json:"run"`
	Ready     *float64 `json:"ready"`
	Live      *float64 `json:"live"`
	Stop      *outcome `json:"stop"`
	PostStart *outcome `json:"postStart"`
	PreStop   *outcome `json:"preStop"`
}

var script map[string]image

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

type images struct{ *apitest.FakeImageService }

func (i images) PullImage(ctx context.Context, spec *runtimeapi.ImageSpec, auth *runtimeapi.AuthConfig, sandbox *runtimeapi.PodSandboxConfig) (string, error) {
	if does := script[spec.Image].Pull; does != nil {
		if does.Never {
			<-ctx.Done()
			return "", ctx.Err()
		}
		time.Sleep(seconds(does.After))
		if does.Fails {
			return "", errors.New("not found")
		}
	}
	return i.FakeImageService.PullImage(ctx, spec, auth, sandbox)
}

// ImageFsInfo tells of a disk with room.
func (i images) ImageFsInfo(context.Context) (*runtimeapi.ImageFsInfoResponse, error) {
	usage := []*runtimeapi.FilesystemUsage{{
		Timestamp: time.Now().UnixNano(), FsId: &runtimeapi.FilesystemIdentifier{Mountpoint: "/"},
		UsedBytes: &runtimeapi.UInt64Value{}, InodesUsed: &runtimeapi.UInt64Value{}}}
	return &runtimeapi.ImageFsInfoResponse{ImageFilesystems: usage, ContainerFilesystems: usage}, nil
}

type runtime struct {
	*apitest.FakeRuntimeService
	lock sync.Mutex
	ends map[string]chan struct{}
}

func (r *runtime) of(id string) (*apitest.FakeContainer, image) {
	r.FakeRuntimeService.Lock()
	defer r.FakeRuntimeService.Unlock()
	c := r.Containers[id]
	if c == nil {
		return nil, image{}
	}
	return c, script[c.Image.Image]
}

// ended notes the end of a container, with the words that containerd has for it.
func (r *runtime) ended(id string, code int32) {
	r.FakeRuntimeService.Lock()
	c := r.Containers[id]
	if c == nil || c.State != runtimeapi.ContainerState_CONTAINER_RUNNING {
		r.FakeRuntimeService.Unlock()
		return
	}
	c.State, c.FinishedAt, c.ExitCode = runtimeapi.ContainerState_CONTAINER_EXITED, time.Now().UnixNano(), code
	c.Reason = "Completed"
	if code != 0 {
		c.Reason = "Error"
	}
	if run := script[c.Image.Image].Run; run != nil && run.Code == 137 && code == 137 {
		c.Reason = "OOMKilled"
	}
	r.FakeRuntimeService.Unlock()
	r.lock.Lock()
	defer r.lock.Unlock()
	if end := r.ends[id]; end != nil {
		close(end)
		delete(r.ends, id)
	}
}

func (r *runtime) StartContainer(ctx context.Context, id string) error {
	if err := r.FakeRuntimeService.StartContainer(ctx, id); err != nil {
		return err
	}
	r.lock.Lock()
	r.ends[id] = make(chan struct{})
	r.lock.Unlock()
	c, does := r.of(id)
	if run := does.Run; run != nil && (run.Times == nil || c.Metadata.Attempt < *run.Times) {
		time.AfterFunc(seconds(run.After), func() { r.ended(id, run.Code) })
	}
	return nil
}

func (r *runtime) StopContainer(ctx context.Context, id string, timeout int64) error {
	c, does := r.of(id)
	if c == nil {
		return fmt.Errorf("container %q not found", id)
	}
	r.lock.Lock()
	end := r.ends[id]
	r.lock.Unlock()
	if end == nil {
		return nil
	}
	// 143 is what a process ends with that has no handler for SIGTERM.
	after, code := time.Duration(0), int32(143)
	if does.Stop != nil {
		after = seconds(does.Stop.After)
	}
	grace := time.Duration(timeout) * time.Second
	if (does.Stop != nil && does.Stop.Ignored) || after > grace {
		after, code = grace, 137
	}
	time.AfterFunc(after, func() { r.ended(id, code) })
	<-end
	return nil
}

func (r *runtime) ExecSync(ctx context.Context, id string, cmd []string, timeout time.Duration) ([]byte, []byte, error) {
	c, does := r.of(id)
	if c == nil {
		return nil, nil, fmt.Errorf("container %q not found", id)
	}
	failed := func() ([]byte, []byte, error) {
		err := fmt.Errorf("command '%s' exited with 1: ", cmd[0])
		said := []byte("the container does not answer")
		if cmd[0] == "postStart" || cmd[0] == "preStop" {
			said = nil
		}
		return said, nil, utilexec.CodeExitError{Err: err, Code: 1}
	}
	age := time.Since(time.Unix(0, c.StartedAt))
	switch cmd[0] {
	case "ready", "startup":
		if does.Ready != nil && (*does.Ready < 0 || age < seconds(*does.Ready)) {
			return failed()
		}
	case "live":
		if does.Live != nil && age >= seconds(*does.Live) {
			return failed()
		}
	case "postStart", "preStop":
		hook := does.PostStart
		if cmd[0] == "preStop" {
			hook = does.PreStop
		}
		if hook == nil {
			break
		}
		over := time.After(seconds(hook.After))
		if hook.Never {
			over = nil
		}
		r.lock.Lock()
		end := r.ends[id]
		r.lock.Unlock()
		select {
		case <-over:
		case <-end:
			return failed()
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		if hook.Fails {
			return failed()
		}
	}
	return nil, nil, nil
}

func main() {
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	text, err := os.ReadFile(os.Args[3])
	must(err)
	must(json.Unmarshal(text, &script))
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	must(err)
	service := &runtime{FakeRuntimeService: apitest.NewFakeRuntimeService(), ends: map[string]chan struct{}{}}
	service.FakeStatus = &runtimeapi.RuntimeStatus{Conditions: []*runtimeapi.RuntimeCondition{
		{Type: runtimeapi.RuntimeReady, Status: true}, {Type: runtimeapi.NetworkReady, Status: true}}}
	store := apitest.NewFakeImageService()
	store.FakeImageSize = 33554432
	flags, settings := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{NodeName: os.Args[2], MaxPods: 200})
	settings.EnableServer = false
	settings.SerializeImagePulls, settings.RegistryPullQPS = false, 0
	settings.ClusterDNS = []string{"10.96.0.10"}
	node := kubemark.NewHollowKubelet(flags, settings, client, client, &cadvisortest.Fake{NodeName: os.Args[2]},
		images{store}, service, cm.NewStubContainerManager())
	node.KubeletDeps.ProbeManager = nil
	node.KubeletDeps.Recorder = nil
	node.KubeletDeps.EventClient = client.CoreV1()
	node.Run(context.Background())
}
