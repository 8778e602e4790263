package main

import (
	"fmt"
	"strconv"

	"github.com/DataDog/sketches-go/ddsketch/pb/sketchpb"
	"google.golang.org/protobuf/proto"
)

// sketch shows a DDSketch by what it means: its mapping, and the count of each bin.
func sketch(encoded []byte) any {
	var decoded sketchpb.DDSketch
	if err := proto.Unmarshal(encoded, &decoded); err != nil {
		return fmt.Sprintf("no sketch: %v", err)
	}
	shown := map[string]any{
		"gamma":       decoded.GetMapping().GetGamma(),
		"indexOffset": decoded.GetMapping().GetIndexOffset(),
		"bins":        bins(decoded.GetPositiveValues()),
	}
	if interpolation := decoded.GetMapping().GetInterpolation(); interpolation != 0 {
		shown["interpolation"] = interpolation.String()
	}
	if negative := bins(decoded.GetNegativeValues()); len(negative) > 0 {
		shown["negativeBins"] = negative
	}
	if zeros := decoded.GetZeroCount(); zeros != 0 {
		shown["zeroCount"] = zeros
	}
	return shown
}

func bins(store *sketchpb.Store) map[string]float64 {
	counts := map[string]float64{}
	for index, count := range store.GetBinCounts() {
		counts[strconv.Itoa(int(index))] += count
	}
	for i, count := range store.GetContiguousBinCounts() {
		if count != 0 {
			counts[strconv.Itoa(int(store.GetContiguousBinIndexOffset())+i)] += count
		}
	}
	return counts
}
