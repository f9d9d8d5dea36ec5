{{/* The operator's namespace and ServiceAccount are names that roles and policies rest on; they are no values. */}}
{{- define "ringfence.namespace" -}}ringfence-system{{- end }}
{{- define "ringfence.name" -}}ringfence-operator{{- end }}

{{- define "ringfence.selector" -}}
app.kubernetes.io/name: ringfence
app.kubernetes.io/component: operator
{{- end }}

{{- define "ringfence.labels" -}}
{{ include "ringfence.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "ringfence.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "ringfence.gatewayImage" -}}
{{- with .Values.gateway.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ required "gateway.image needs a tag or a digest" .tag }}{{ end }}
{{- end -}}
{{- end }}

{{/* The images that the operator may run are this release's, whatever the checked-in policies say. */}}
{{- define "ringfence.pinned" -}}
{{- $pinned := .text | replace "'localhost/ringfence/operator'" (printf "'%s'" .root.Values.image.repository) }}
{{- with .root.Values.gateway.image.repository }}
{{- $pinned = $pinned | replace "'docker.io/envoyproxy/envoy'" (printf "'%s'" .) }}
{{- end }}
{{- $pinned }}
{{- end }}

{{- define "ringfence.claim" -}}
{{- .Values.ledger.existingClaim | default "ringfence-ledger" }}
{{- end }}

{{/* One checked-in manifest with this release's labels; "keep" leaves it in the cluster after an uninstall, "hook" says
when it comes, if not with the others. */}}
{{- define "ringfence.manifest" -}}
{{- $object := .text | fromYaml }}
{{- $labels := include "ringfence.labels" .root | fromYaml }}
{{- $metadata := mergeOverwrite (dict) $object.metadata (dict "labels" (mergeOverwrite (dict) ($object.metadata.labels | default dict) $labels)) }}
{{- $annotations := dict }}
{{- if .keep }}{{ $annotations = set $annotations "helm.sh/resource-policy" "keep" }}{{ end }}
{{- if .hook }}{{ $annotations = set $annotations "helm.sh/hook" .hook }}{{ end }}
{{- if $annotations }}
{{- $metadata = set $metadata "annotations" (mergeOverwrite (dict) ($metadata.annotations | default dict) $annotations) }}
{{- end }}
{{- set $object "metadata" $metadata | toYaml }}
{{- end }}
