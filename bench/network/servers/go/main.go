// Echo with Go's net and crypto/tls, a goroutine for each client: main [KEY CERT].
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
)

func main() {
	listener, err := listen(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go echo(client)
	}
}

func listen(pair []string) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || len(pair) < 2 {
		return listener, err
	}
	certificate, err := tls.LoadX509KeyPair(pair[1], pair[0])
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}), err
}

func echo(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, 64*1024)
	for {
		count, err := client.Read(buffer)
		if err != nil {
			return
		}
		if _, err := client.Write(buffer[:count]); err != nil {
			return
		}
	}
}
