// Command turn-server is a relay for tests: TURN over UDP, TCP and TLS on loopback, by pion.
//
// It prints its three ports on one line, then for each line that it reads how many allocations
// there are. It ends with its standard input.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/pion/turn/v4"
)

const (
	realm    = "voicegraph.test"
	username = "ada"
	password = "not-a-secret"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: turn-server CERTIFICATE KEY")
	}
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	check(err)
	packets, err := net.ListenPacket("udp4", "127.0.0.1:0")
	check(err)
	plain, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	secured := tls.NewListener(inner, &tls.Config{Certificates: []tls.Certificate{certificate}})
	relays := &turn.RelayAddressGeneratorStatic{
		RelayAddress: net.ParseIP("127.0.0.1"),
		Address:      "127.0.0.1",
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: realm,
		AuthHandler: func(name, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(username, realm, password), name == username
		},
		PacketConnConfigs: []turn.PacketConnConfig{
			{PacketConn: packets, RelayAddressGenerator: relays},
		},
		ListenerConfigs: []turn.ListenerConfig{
			{Listener: plain, RelayAddressGenerator: relays},
			{Listener: secured, RelayAddressGenerator: relays},
		},
	})
	check(err)
	defer server.Close()
	fmt.Println(
		packets.LocalAddr().(*net.UDPAddr).Port,
		plain.Addr().(*net.TCPAddr).Port,
		inner.Addr().(*net.TCPAddr).Port,
	)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(server.AllocationCount())
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
