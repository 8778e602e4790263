// Command awsxrayreceiver records the spans that the `awsxray` receiver makes of our cases: each document is sent as a datagram.
//
//	go run . [-only PART] CASES
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsxrayreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"hikyaku/parity"
)

// How long the receiver may take for a datagram.
const patience = 10 * time.Second

func main() {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "recorder", "AWS_SECRET_ACCESS_KEY": "recorder", "AWS_REGION": "eu-west-1",
	} {
		_ = os.Setenv(name, value)
	}
	parity.Main(record)
}

func record(c *parity.Case) (map[string]any, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	factory := awsxrayreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	section := confmap.NewFromStringMap(map[string]any{
		"endpoint": address, "proxy_server": map[string]any{"endpoint": address, "aws_endpoint": "http://127.0.0.1:1"},
	})
	if err := section.Unmarshal(config); err != nil {
		return nil, err
	}
	core, logs := observer.New(zapcore.WarnLevel)
	telemetry := componenttest.NewNopTelemetrySettings()
	telemetry.Logger = zap.New(core)
	sink := new(consumertest.TracesSink)
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry}
	ctx := context.Background()
	part, err := factory.CreateTraces(ctx, settings, config, sink)
	if err != nil {
		return nil, err
	}
	if err := part.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	if err := send(address, c.Requests[0]); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(patience)
	for sink.SpanCount() == 0 && logs.Len() == 0 {
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%s: neither spans nor a warning after %s", c.Name, patience)
		}
		time.Sleep(time.Millisecond)
	}
	if err := part.Shutdown(ctx); err != nil {
		return nil, err
	}
	if sink.SpanCount() == 0 {
		return map[string]any{"refused": refusal(logs)}, nil
	}
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(sink.AllTraces()[0])
	if err != nil {
		return nil, err
	}
	var shown map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	return shown, decoder.Decode(&shown)
}

// refusal is the error of the first warning.
func refusal(logs *observer.ObservedLogs) string {
	for _, field := range logs.All()[0].Context {
		if err, ok := field.Interface.(error); ok {
			return err.Error()
		}
	}
	return logs.All()[0].Message
}

func send(address string, document []byte) error {
	connection, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = connection.Write(append([]byte("{\"format\": \"json\", \"version\": 1}\n"), document...))
	return err
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
