module hikyaku/parity

go 1.26.0

require (
	github.com/klauspost/compress v1.18.6
	go.yaml.in/yaml/v3 v3.0.4
	google.golang.org/protobuf v1.36.12
)
