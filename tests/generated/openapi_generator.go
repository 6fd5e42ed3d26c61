// Drives a server with the Go client that openapi-generator wrote.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	client "trunkline_client"
)

func main() {
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: os.Getenv("TRUNKLINE_URL")}}
	token := client.APIKey{Key: os.Getenv("TRUNKLINE_TOKEN")}
	credentials := context.WithValue(context.Background(), client.ContextAPIKeys,
		map[string]client.APIKey{"token": token})
	affiliates := client.NewAPIClient(configuration).AffiliatesAPI
	write := func(request client.AffiliateRequest) (*client.Affiliate, *http.Response, error) {
		return affiliates.PutAffiliate(credentials, "2023-10-09", 1, "go").
			AffiliateRequest(request).Execute()
	}

	request := client.NewAffiliateRequest()
	request.SetName("Go")
	request.SetStatus("Suspended")
	created, _, err := write(*request)
	if err != nil {
		log.Fatal(err)
	}
	// An update leaves what it does not name: no default is sent with it.
	renamed := client.NewAffiliateRequest()
	renamed.SetName("Go 2")
	if _, _, err := write(*renamed); err != nil {
		log.Fatal(err)
	}
	read, _, err := affiliates.GetAffiliate(credentials, "2023-10-09", 1, "go").Execute()
	if err != nil {
		log.Fatal(err)
	}
	if read.GetId() != created.GetId() || read.GetName() != "Go 2" || read.GetStatus() != "Suspended" {
		log.Fatalf("read %+v", read)
	}
	invalid := client.NewAffiliateRequest()
	invalid.SetName("")
	if _, response, err := write(*invalid); err == nil || response.StatusCode != http.StatusForbidden {
		log.Fatalf("an affiliate without a name was stored: %v", err)
	}
}
