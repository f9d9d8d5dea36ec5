// Command cyclonus answers, in one batch, what Cyclonus thinks of connections under sets of NetworkPolicies.
//
// Standard input is a JSON array of cases; standard output an array of their answers. Each question is asked of
// Cyclonus' own matcher, each selector of Kubernetes' library too, so that the two can be told apart.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/mattfenwick/cyclonus/pkg/kube"
)

// End is a pod with an address, or an address alone where it has no namespace.
type End struct {
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	PodLabels       map[string]string `json:"podLabels"`
	Address         string            `json:"address"`
}

// Question is one connection to a port of the target, and what the target calls that port.
type Question struct {
	Source   int         `json:"source"`
	Target   int         `json:"target"`
	Port     int         `json:"port"`
	PortName string      `json:"portName"`
	Protocol v1.Protocol `json:"protocol"`
}

// Case is a set of policies with the questions that are asked of it.
type Case struct {
	Policies  []*networkingv1.NetworkPolicy `json:"policies"`
	Ends      []End                         `json:"ends"`
	Questions []Question                    `json:"questions"`
}

// SelectorCase asks whether a selector matches labels.
type SelectorCase struct {
	Selector metav1.LabelSelector `json:"selector"`
	Labels   map[string]string    `json:"labels"`
}

// Input is everything that is asked.
type Input struct {
	Cases     []Case         `json:"cases"`
	Selectors []SelectorCase `json:"selectors"`
}

// Sides is the answer to one question.
type Sides struct {
	Egress  bool `json:"egress"`
	Ingress bool `json:"ingress"`
}

// Match is what both libraries say of a selector.
type Match struct {
	Cyclonus   bool `json:"cyclonus"`
	Kubernetes bool `json:"kubernetes"`
}

// Output has an answer for everything that was asked, in the same order.
type Output struct {
	Cases     [][]Sides `json:"cases"`
	Selectors []Match   `json:"selectors"`
}

func main() {
	log.SetFlags(0)
	var input Input
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		log.Fatal(err)
	}
	output := Output{Cases: make([][]Sides, len(input.Cases)), Selectors: make([]Match, len(input.Selectors))}
	for i, each := range input.Cases {
		output.Cases[i] = answer(each)
	}
	for i, each := range input.Selectors {
		output.Selectors[i] = match(each)
	}
	if err := json.NewEncoder(os.Stdout).Encode(output); err != nil {
		log.Fatal(err)
	}
}

func answer(asked Case) []Sides {
	policy := matcher.BuildNetworkPolicies(false, asked.Policies)
	answers := make([]Sides, len(asked.Questions))
	for i, question := range asked.Questions {
		result := policy.IsTrafficAllowed(&matcher.Traffic{
			Source:           peer(asked.Ends[question.Source]),
			Destination:      peer(asked.Ends[question.Target]),
			ResolvedPort:     question.Port,
			ResolvedPortName: question.PortName,
			Protocol:         question.Protocol,
		})
		answers[i] = Sides{Egress: result.Egress.IsAllowed(), Ingress: result.Ingress.IsAllowed()}
	}
	return answers
}

func peer(end End) *matcher.TrafficPeer {
	found := &matcher.TrafficPeer{IP: end.Address}
	if end.Namespace != "" {
		found.Internal = &matcher.InternalPeer{
			PodLabels:       end.PodLabels,
			NamespaceLabels: end.NamespaceLabels,
			Namespace:       end.Namespace,
		}
	}
	return found
}

func match(asked SelectorCase) Match {
	selector, err := metav1.LabelSelectorAsSelector(&asked.Selector)
	if err != nil {
		log.Fatal(err)
	}
	return Match{
		Cyclonus:   kube.IsLabelsMatchLabelSelector(asked.Labels, asked.Selector),
		Kubernetes: selector.Matches(labels.Set(asked.Labels)),
	}
}
